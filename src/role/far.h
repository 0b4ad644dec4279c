/* SPDX-License-Identifier: Apache-2.0 */
/* Roles on other hosts. An agent (`kaos agent`) waits for connections; each brings one role process
 * to life, kills it when the connection ends, and sends its history and output back. The runner
 * has a stand-in for each of them: a child like any other, that dies as its role died, so that the
 * supervisor knows one kind of process only.
 *
 * Frames (io/pipe.h) from the stand-in: FAR_HELLO first, then those of role/proto.h, ROLE_SIGNAL
 * among them. From the agent: the others below. */
#pragma once

enum far_frame {
    FAR_HELLO = 32, /**< JSON: {"kaos": version, "token": text} */
    FAR_REFUSED,    /**< text: why; the connection ends */
    FAR_HISTORY,    /**< a piece for mirror_copy_write() */
    FAR_OUTPUT,     /**< bytes of stdout and stderr */
    FAR_STOPPED,    /**< a SIGSTOP has taken effect */
    FAR_EXIT,       /**< i32 exit code, i32 signal (one of them 0); everything else came before */
};
enum { FAR_TOKEN_MIN = 16 };
#define FAR_TOKEN "KAOS_AGENT_TOKEN" /**< environment of agents and runners */

/** `kaos agent`: serves until SIGTERM or SIGINT. listen: "HOST:PORT" or ":PORT"; an address that
 * other hosts can reach needs a token. @return exit code. */
int agent_main(const char *listen);
/** `kaos __far ADDRESS TURN`: the stand-in. @return exit code. */
int standin_main(int argc, char **argv);
