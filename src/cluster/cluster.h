/* SPDX-License-Identifier: Apache-2.0 */
/* "A cluster", whatever stands behind it. One row per kind in cluster.c:
 *
 *   reuse[:NAME]            such a cluster that stays up between runs, see cluster/registry.h
 *   kafka[:VERSION]         1 to 5 KRaft nodes of Apache Kafka on loopback, started and killed by
 *                           kaos
 *   embedded                kaos's own broker, with virtual nodes, in memory
 *   HOST:PORT[,HOST:PORT]   a cluster that somebody else runs
 *
 * Everything here is called on the loop's thread and returns at once; what takes time reports
 * through callbacks on the loop, never inside the call that asked for it, so that Ctrl-C is always
 * served. A life: cluster_open, cluster_start, on_ready, ..., cluster_stop, its callback,
 * cluster_free.
 *
 * Where jars are looked for (kafka): KAFKA_HOME/libs, if its version is the one asked for or none
 * was asked for; then HOME/kafka/VERSION/libs, HOME being KAOS_HOME or, without it, the nearest
 * .kaos at or above the working directory, then at or above the folder of the running binary.
 * Formatted templates and the class-data archive are kept beside (HOME/kafka/...). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"
#include "io/proc.h"

struct cluster;

/** What is used when nobody names a cluster. */
#define CLUSTER_DEFAULT "embedded"
/** The version of `kafka` without a version. */
#define CLUSTER_KAFKA_DEFAULT "4.3.1"

enum {
    CLUSTER_NODES_MAX = 5, /**< managed nodes; they are numbered from 1, as Kafka's node.id */
};

/** What a cluster can do; properties and faults state what they need. */
enum cluster_cap {
    CLUSTER_CAP_TRANSACTIONS = 1 << 0,
    CLUSTER_CAP_GROUPS = 1 << 1,
    CLUSTER_CAP_ADMIN = 1 << 2,
    CLUSTER_CAP_KILL_BROKER = 1 << 3, /**< kill, stop, pause, restart of a node */
    CLUSTER_CAP_REPLICATION = 1 << 4, /**< more than one node */
    CLUSTER_CAP_RETENTION = 1 << 5,
    CLUSTER_CAP_FRESH =
        1 << 6, /**< empty at start: names are used as written, nobody else is there */
    CLUSTER_CAP_OWN =
        1 << 7, /**< ours alone while we use it: declared topics are deleted and created anew */
};

enum cluster_listener {
    CLUSTER_FAULTY, /**< roles and exec programs */
    CLUSTER_DIRECT, /**< admin, audit, probes; never faulted */
};

enum cluster_event {
    CLUSTER_NODE_UP,   /**< serves requests again, after a restart or a resume */
    CLUSTER_NODE_DOWN, /**< its process was reaped */
};

/** e is NULL when the cluster is ready. ERR_PROCESS: a node could not be started (the last lines of
 * its log are in cluster_failure_log); ERR_TIMEOUT: not ready in time; ERR_SYSTEM; ERR_USAGE: a
 * setting that the brokers do not know; ERR_BROKER, ERR_PROTOCOL: an external cluster answers
 * wrongly. */
typedef void (*cluster_ready_fn)(void *arg, const struct err *e);
/** expected is false for a death that nobody asked for; detail says how ("signal 9", "exit code
 * 1"). */
typedef void (*cluster_node_fn)(void *arg, int node, enum cluster_event ev, bool expected,
                                const char *detail);
typedef void (*cluster_done_fn)(void *arg);

/** A broker property; replaces what kaos sets. */
struct cluster_setting {
    const char *name, *value;
};

struct cluster_opts {
    struct loop *loop;
    struct guard *guard; /**< NULL is fine for an external cluster */
    const char *run_dir; /**< logs/broker-N.log is kept, cluster/ is removed at stop */
    int brokers;         /**< 0 = 1; must be 0 for an external cluster */
    const struct cluster_setting *settings; /**< borrowed; copied */
    size_t nsettings;
    uint64_t seed; /**< embedded: of what the properties kaos.* have it draw */
    bool
        broker_faults; /**< nodes will be killed or paused: short broker sessions (1 s), and Kafka's
                            own interval for ending timed out transactions. Otherwise that interval
                            is 500 ms and sessions are long, so that a busy machine fences nobody */
    bool may_keep; /**< cluster_keep may be called later: nodes get no death signal of their own */
    const char *store; /**< reuse: registrations are in STORE/clusters; NULL = ".kaos"; borrowed */
    const char *kafka; /**< reuse: started as this, "kafka[:VERSION]"; NULL = "kafka"; borrowed */
    const char *user;  /**< reuse: who uses it, for others that want to; borrowed */
    int ready_timeout_s;       /**< 0 = 60 (external: 10) */
    cluster_ready_fn on_ready; /**< called once per cluster_start */
    cluster_node_fn on_node;   /**< may be NULL */
    void *arg;
};

/** Whether spec has the form of a kind that exists. @return -1 with ERR_USAGE, which names them. */
int cluster_check(const char *spec, struct err *e);
/** Checks everything that can be checked without starting anything: the spec, the number of nodes,
 * the settings' names, jars, java. @return NULL with ERR_USAGE (spec, brokers, settings),
 * ERR_REFUSED (a setting that this kind does not have) or ERR_PROCESS (a missing version names
 * `script/kafka VERSION`, a missing java `script/setup --kafka`). */
struct cluster *cluster_open(const char *spec, const struct cluster_opts *o, struct err *e);
/** Starts; on_ready follows. Ready = Metadata through DIRECT lists all nodes and a controller, and
 *  both kinds of coordinators are found. */
void cluster_start(struct cluster *c);
/** Ends all nodes (SIGKILL: what they wrote is not needed any more), waits until they are reaped,
 *  removes their data, calls done(arg). Fine at any moment, also while starting (on_ready is then
 * not called). A kept cluster is left alone. */
void cluster_stop(struct cluster *c, cluster_done_fn done, void *arg);
/** Only after the callback of cluster_stop, or before cluster_start; NULL is fine. */
void cluster_free(struct cluster *c);

/** "127.0.0.1:1,127.0.0.1:2"; valid once ready; borrowed until cluster_free. */
const char *cluster_bootstrap(const struct cluster *c, enum cluster_listener l);
/** Managed nodes: 1..n; 0 for an external cluster. */
int cluster_nodes(const struct cluster *c);
/** Brokers that can hold replicas (replicas = min(asked, this)); once ready. */
int cluster_brokers(const struct cluster *c);
/** Bits of enum cluster_cap. */
unsigned cluster_caps(const struct cluster *c);
/** "kill_broker"; NULL if cap is not one bit of enum cluster_cap. */
const char *cluster_cap_name(enum cluster_cap cap);
/** "kafka", "embedded" or "external". */
const char *cluster_kind(const struct cluster *c);
/** "4.3.1"; "" if unknown (external). */
const char *cluster_version(const struct cluster *c);
/** Milliseconds from cluster_start to ready; 0 before. */
unsigned cluster_start_ms(const struct cluster *c);
/** After a failed start: the last lines of the log of the node that failed, "" if there is none. */
const char *cluster_failure_log(const struct cluster *c);

/** The process of a node; 0 while it is down. */
pid_t cluster_node_pid(const struct cluster *c, int node);
/** Serves requests as far as is known: not killed, not paused, not starting. */
bool cluster_node_up(const struct cluster *c, int node);
/** The five below return -1 with ERR_USAGE for a node that is not there or not in the right state
 * (kill: alive; stop, pause: up; resume: paused; restart: down), ERR_PROCESS if it cannot be done.
 */
int cluster_node_kill(struct cluster *c, int node, struct err *e);
/** SIGTERM: the node hands over what it leads and ends by itself. CLUSTER_NODE_DOWN follows, after
 * seconds, or never while it cannot hand over: then kill it. */
int cluster_node_stop(struct cluster *c, int node, struct err *e);
int cluster_node_pause(struct cluster *c, int node, struct err *e);
int cluster_node_resume(struct cluster *c, int node, struct err *e);
/** Starts the node again on its data and ports (after a kill, wait for its CLUSTER_NODE_DOWN
 * first). CLUSTER_NODE_UP follows when it serves requests and is a member again, however long that
 * takes (it needs a majority of the controllers), or CLUSTER_NODE_DOWN with expected = false when
 * it ends. */
int cluster_node_restart(struct cluster *c, int node, struct err *e);

/** The nodes survive this process; cluster_stop leaves them and their data alone. Appends to out
 * one line per fact a person needs: bootstrap, data, processes, how to end them. Only when ready.
 */
void cluster_keep(struct cluster *c, struct buf *out);
