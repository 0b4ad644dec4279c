/* SPDX-License-Identifier: Apache-2.0 */
/* One node of a managed cluster: its folder, its process, its signals, what its log says.
 *
 *   DOWN ──restart──▶ STARTING ──serves──▶ UP ──pause──▶ PAUSED ──resume──▶ STARTING
 *     ▲                   └──── kill, stop, or a death of its own ─────┘
 *
 * Loop thread only. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cluster/kafka.h"
#include "cluster/kafka_jvm.h"

enum { REASON_BYTES = 64 << 10, REASON_MAX = 240 };

void kafka_node_init(struct node *n, struct kafka *k, int id)
{
    n->k = k;
    n->id = id;
    n->dir = xasprintf("%s/node-%d", k->dir, id);
    n->log_path = xasprintf("%s/broker-%d.log", k->logs, id);
}

void kafka_node_fini(struct node *n)
{
    ready_cancel(n->probe);
    if (n->p) {
        proc_free(n->p);
    }
    free(n->dir);
    free(n->log_path);
    free(n->address);
}

int kafka_node_lay_out(struct node *n, struct err *e)
{
    struct kafka *k = n->k;
    char *template = kafka_cache_template(k->cache, n->id), *data = path_join(n->dir, "data");
    char *properties = path_join(n->dir, "server.properties");
    struct kafka_config c = {.node = n->id,
                             .nodes = k->base.nodes,
                             .ports = k->ports,
                             .data = data,
                             .broker_faults = k->base.o.broker_faults,
                             .settings = k->base.o.settings,
                             .nsettings = k->base.o.nsettings};
    char *text = kafka_config_render(&c);
    free(n->address);
    n->address = xasprintf("127.0.0.1:%d", k->ports[n->id - 1].at[PORT_DIRECT]);
    int rc = path_remove_all(n->dir, e);
    if (rc == 0) {
        rc = path_mkdirs(n->dir, 0700, e);
    }
    if (rc == 0) {
        rc = path_copy_all(template, data, e);
    }
    if (rc == 0) {
        rc = path_write(properties, text, strlen(text), e);
    }
    free(template);
    free(data);
    free(properties);
    free(text);
    return rc < 0 ? err_wrap(e, "preparing node %d", n->id) : 0;
}

static void node_exited(void *arg, struct proc *p, struct proc_end end)
{
    struct node *n = arg;
    proc_free(n->p);
    n->p = NULL;
    n->state = NODE_IS_DOWN;
    ready_cancel(n->probe);
    n->probe = NULL;
    kafka_node_ended(n->k, n, end);
}

int kafka_node_spawn(struct node *n, struct err *e)
{
    struct stat st;
    n->log_at = stat(n->log_path, &st) == 0 ? st.st_size : 0;
    const char *argv[] = {"kafka.Kafka", "server.properties", NULL};
    struct kafka_jvm j = {.home = &n->k->home,
                          .guard = n->k->base.o.guard,
                          .dir = n->dir,
                          .log_path = n->log_path,
                          .archive = n->k->archive,
                          .may_outlive = n->k->base.o.may_keep,
                          .argv = argv,
                          .on_exit = node_exited,
                          .arg = n};
    n->p = kafka_jvm_spawn(&j, e);
    if (!n->p) {
        return err_wrap(e, "starting node %d of Kafka %s", n->id, n->k->home.version);
    }
    n->asked = false;
    n->state = NODE_IS_STARTING;
    return 0;
}

static void serves(void *arg, const struct ready_result *r, const struct err *e)
{
    struct node *n = arg;
    n->probe = NULL;
    if (e) {
        kafka_node_watch(n);
        return;
    }
    n->state = NODE_IS_UP;
    if (n->k->base.o.on_node) {
        n->k->base.o.on_node(n->k->base.o.arg, n->id, CLUSTER_NODE_UP, true, "");
    }
}

void kafka_node_watch(struct node *n)
{
    n->probe = ready_node(n->k->base.o.loop, n->address, n->id, serves, n);
}

void kafka_node_end(struct node *n)
{
    ready_cancel(n->probe);
    n->probe = NULL;
    if (n->p) {
        n->asked = true;
        proc_signal(n->p, SIGKILL, false);
    }
}

static int wrong_state(const struct node *n, const char *verb, const char *why, struct err *e)
{
    return err_set(e, ERR_USAGE, 0, "node %d cannot be %s: it is %s", n->id, verb, why);
}

static int node_kill(struct node *n, struct err *e)
{
    if (!n->p) {
        return wrong_state(n, "killed", "down", e);
    }
    kafka_node_end(n);
    return 0;
}

static int node_stop(struct node *n, struct err *e)
{
    if (n->state != NODE_IS_UP || n->asked) {
        return wrong_state(n, "stopped", "not up", e);
    }
    if (proc_signal(n->p, SIGTERM, false) < 0) {
        return wrong_state(n, "stopped", "gone", e);
    }
    n->asked = true;
    return 0;
}

static int node_pause(struct node *n, struct err *e)
{
    if (!n->p || n->state == NODE_IS_PAUSED || n->asked) {
        return wrong_state(n, "paused", n->state == NODE_IS_PAUSED ? "paused" : "down", e);
    }
    if (proc_signal(n->p, SIGSTOP, false) < 0) {
        return wrong_state(n, "paused", "gone", e);
    }
    ready_cancel(n->probe);
    n->probe = NULL;
    n->state = NODE_IS_PAUSED;
    return 0;
}

static int node_resume(struct node *n, struct err *e)
{
    if (n->state != NODE_IS_PAUSED || n->asked) {
        return wrong_state(n, "resumed", "not paused", e);
    }
    if (proc_signal(n->p, SIGCONT, false) < 0) {
        return wrong_state(n, "resumed", "gone", e);
    }
    n->state = NODE_IS_STARTING;
    kafka_node_watch(n);
    return 0;
}

static int node_restart(struct node *n, struct err *e)
{
    if (n->p) {
        return wrong_state(n, "restarted", "not down", e);
    }
    if (kafka_node_spawn(n, e) < 0) {
        return -1;
    }
    kafka_node_watch(n);
    return 0;
}

int kafka_node_act(struct cluster *c, int node, enum node_action what, struct err *e)
{
    static int (*const actions[])(struct node * n, struct err * e) = {
        [NODE_KILL] = node_kill,     [NODE_STOP] = node_stop,       [NODE_PAUSE] = node_pause,
        [NODE_RESUME] = node_resume, [NODE_RESTART] = node_restart,
    };
    struct kafka *k = (struct kafka *)c;
    if (k->phase != KAFKA_READY || k->kept) {
        return err_set(e, ERR_USAGE, 0, "node %d cannot be touched: the cluster is not running",
                       node);
    }
    return actions[what](&k->nodes[node - 1], e);
}

/* What the log holds from log_at on, its end if that is long; NUL-terminated, caller frees. */
static char *read_new(const struct node *n)
{
    int fd = open(n->log_path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *text = xcalloc(1, REASON_BYTES + 1);
    if (fd < 0 || fstat(fd, &st) < 0) {
        if (fd >= 0) {
            close(fd);
        }
        return text;
    }
    off_t at = n->log_at > st.st_size - REASON_BYTES ? n->log_at : st.st_size - REASON_BYTES;
    for (size_t got = 0; got < REASON_BYTES;) {
        ssize_t more = pread(fd, text + got, REASON_BYTES - got, at + (off_t)got);
        if (more <= 0) {
            break;
        }
        got += (size_t)more;
    }
    close(fd);
    return text;
}

static bool is_stack_frame(const char *line)
{
    return *line == '\t' || *line == ' ' || *line == '\0';
}

char *kafka_node_reason(const struct node *n, bool *port_taken)
{
    char *text = read_new(n), *last = text, *error = NULL, *save = NULL;
    *port_taken = strstr(text, "Address already in use") || strstr(text, "BindException");
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (is_stack_frame(line)) {
            continue;
        }
        last = line;
        if (strstr(line, "Exception") || strstr(line, "Error")) {
            error = line;
        }
    }
    char *reason =
        *last ? xasprintf("%.*s", REASON_MAX, error ? error : last) : xstrdup("it said nothing");
    free(text);
    return reason;
}
