/* SPDX-License-Identifier: Apache-2.0 */
/* What the runner tells a role process on its control pipe (io/pipe.h frames); everything the role
 * has to say goes into its history. */
#pragma once

enum role_frame {
    ROLE_FILE =
        1, /**< one file of the source bundle: name, NUL, text; the scenario's own file first */
    ROLE_START,  /**< JSON object, see struct role_start in role/role.h for its members */
    ROLE_FAULT,  /**< JSON: {"do": "crash" | "abort" | "disarm" | "rebalance" | "exit" | "faults" |
                    "mix", "fault": number, "points": bits, "on": bool, "group": name,
                    "off": [number]} */
    ROLE_DRAIN,  /**< sources end (architecture: roles that own no consumer, senders spawned beside
                    one) */
    ROLE_STOP,   /**< iterators end; then the role function returns */
    ROLE_SIGNAL, /**< to a stand-in only: i32 signal for its role on another host */
};
/* ROLE_START members:
 *   scenario, role: names            index, incarnation: integers from 1
 *   seed: decimal string (u64)       run: run id, goes into record headers
 *   params: object name -> text      bootstrap: "host:port,..."
 *   history: folder                  deliveries: file (history/deliveries.h)
 *   faults_on: bool (crash and abort draws are active; ROLE_FAULT {"do":"faults"} switches)
 *   draining: bool (the run drains already: a role without a consumer is cancelled soon)
 *   session_least: integer, ms: the shortest session timeout that the brokers take, 0 = not known
 *   off: numbers of faults that their mix has off at present
 *   suffix: text added to group and transactional ids on clusters that are not fresh ("" = none)
 *   env: object name -> value recorded at load for env()
 *   builtin: "reader" (topic in "topic") for kaos's own read_committed reader; else absent
 * Exit codes of a role process: */
enum role_exit {
    ROLE_EXIT_OK = 0,       /**< the role function returned, or `exit` fault */
    ROLE_EXIT_LUA = 3,      /**< Lua error; an ERROR event says where */
    ROLE_EXIT_KAFKA = 10,   /**< fatal Kafka error */
    ROLE_EXIT_FENCED = 11,  /**< fenced producer or member */
    ROLE_EXIT_HISTORY = 12, /**< the history could not be written (disk full) */
    ROLE_EXIT_BROKEN = 13,  /**< set-up failed: bad property name, no such topic, no cluster */
    ROLE_EXIT_AGENT = 14,   /**< a stand-in found no agent, or was refused */
};
