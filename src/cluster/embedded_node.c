/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual nodes of the embedded broker. What shall happen to one goes to the broker through its
 * control pipe; what has happened stands in its log. Loop thread only. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/embedded.h"

enum { WATCH_MS = 2, CHUNK = 4096, COMMAND = 1 /* any frame type */ };

void embedded_nodes_init(struct embedded_cluster *x)
{
    for (int i = 0; i < x->base.nodes; i++) {
        x->nodes[i] = (struct embedded_node){.x = x, .id = i + 1};
    }
}

void embedded_nodes_end(struct embedded_cluster *x)
{
    timer_stop(x->watch);
    x->watch = NULL;
    for (int i = 0; i < x->base.nodes; i++) {
        ready_cancel(x->nodes[i].probe);
        x->nodes[i].probe = NULL;
    }
}

void embedded_nodes_fini(struct embedded_cluster *x)
{
    embedded_nodes_end(x);
    for (int i = 0; i < x->base.nodes; i++) {
        free(x->nodes[i].address);
    }
}

void embedded_nodes_ready(struct embedded_cluster *x)
{
    const char *at = x->base.bootstrap[CLUSTER_DIRECT];
    for (int i = 0; i < x->base.nodes; i++) {
        size_t len = strcspn(at, ",");
        x->nodes[i].address = xmemdup0(at, len);
        at += len + (at[len] == ',');
    }
}

static void event(struct embedded_node *n, enum cluster_event ev, const char *detail)
{
    const struct cluster_opts *o = &n->x->base.o;
    if (o->on_node) {
        o->on_node(o->arg, n->id, ev, true, detail);
    }
}

/* ---- what has happened ------------------------------------------------------------------------
 */

static void probe(struct embedded_node *n);

static void serves(void *arg, const struct ready_result *r, const struct err *e)
{
    struct embedded_node *n = arg;
    n->probe = NULL;
    if (e) {
        probe(n);
        return;
    }
    n->state = EMBEDDED_UP;
    event(n, CLUSTER_NODE_UP, "");
}

static void probe(struct embedded_node *n)
{
    n->probe = ready_node(n->x->base.o.loop, n->address, n->id, serves, n);
}

static void happened(struct embedded_node *n, const char *what)
{
    if (n->state == EMBEDDED_ENDING && strcmp(what, "down") == 0) {
        n->told = false;
        n->state = EMBEDDED_DOWN;
        event(n, CLUSTER_NODE_DOWN, "told to");
    } else if (n->state == EMBEDDED_STARTING && n->told && strcmp(what, "up") == 0) {
        n->told = false;
        probe(n);
    } else if (n->state == EMBEDDED_PAUSED && strcmp(what, "paused") == 0) {
        n->told = false;
    }
}

static void read_line(struct embedded_cluster *x, const char *line)
{
    static const char begin[] = "node ";
    char *what;
    if (strncmp(line, begin, strlen(begin)) != 0) {
        return;
    }
    long id = strtol(line + strlen(begin), &what, 10);
    if (*what == ' ' && id >= 1 && id <= x->base.nodes) {
        happened(&x->nodes[id - 1], what + 1);
    }
}

/** Takes the next whole lines. @return false: there are none. */
static bool read_log(struct embedded_cluster *x)
{
    char text[CHUNK + 1];
    int fd = open(x->log_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, CHUNK, x->log_at);
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    char *last = strrchr(text, '\n'), *save = NULL;
    if (!last) {
        x->log_at += n == CHUNK ? n : 0; /* no line of ours is that long */
        return n == CHUNK;
    }
    *last = '\0';
    x->log_at += last - text + 1;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        read_line(x, line);
    }
    return true;
}

static void look(void *arg)
{
    struct embedded_cluster *x = arg;
    bool told = false;
    while (read_log(x)) {
    }
    for (int i = 0; i < x->base.nodes; i++) {
        told = told || x->nodes[i].told;
    }
    if (!told) {
        timer_stop(x->watch);
        x->watch = NULL;
    }
}

/* ---- what shall happen ------------------------------------------------------------------------
 */

static void tell(struct embedded_node *n, const char *verb, enum embedded_state state)
{
    struct embedded_cluster *x = n->x;
    char *text = xasprintf("%s %d", verb, n->id);
    ready_cancel(n->probe);
    n->probe = NULL;
    n->state = state;
    n->told = true;
    proc_send(x->p, COMMAND, text, (uint32_t)strlen(text));
    free(text);
    if (!x->watch) {
        x->watch = timer_start(x->base.o.loop, WATCH_MS, WATCH_MS, look, x);
    }
}

static const struct {
    const char *verb, *done; /**< as in "kill", "cannot be killed" */
    unsigned from;           /**< states, as bits */
    enum embedded_state to;
} actions[] = {
    [NODE_KILL] = {"kill", "killed",
                   1 << EMBEDDED_UP | 1 << EMBEDDED_ENDING | 1 << EMBEDDED_PAUSED |
                       1 << EMBEDDED_STARTING,
                   EMBEDDED_ENDING},
    [NODE_STOP] = {"stop", "stopped", 1 << EMBEDDED_UP, EMBEDDED_ENDING},
    [NODE_PAUSE] = {"pause", "paused", 1 << EMBEDDED_UP | 1 << EMBEDDED_STARTING, EMBEDDED_PAUSED},
    [NODE_RESUME] = {"resume", "resumed", 1 << EMBEDDED_PAUSED, EMBEDDED_STARTING},
    [NODE_RESTART] = {"restart", "restarted", 1 << EMBEDDED_DOWN, EMBEDDED_STARTING},
};

int embedded_node_act(struct cluster *c, int node, enum node_action what, struct err *e)
{
    static const char *const states[] = {"up", "ending", "down", "paused", "starting"};
    struct embedded_cluster *x = (struct embedded_cluster *)c;
    struct embedded_node *n = &x->nodes[node - 1];
    if (!x->up || x->kept || !x->p) {
        return err_set(e, ERR_USAGE, 0, "node %d cannot be touched: the cluster is not running",
                       node);
    }
    if (!(actions[what].from & 1u << n->state)) {
        return err_set(e, ERR_USAGE, 0, "node %d cannot be %s: it is %s", node, actions[what].done,
                       states[n->state]);
    }
    tell(n, actions[what].verb, actions[what].to);
    return 0;
}

bool embedded_node_up(const struct cluster *c, int node)
{
    return ((const struct embedded_cluster *)c)->nodes[node - 1].state == EMBEDDED_UP;
}
