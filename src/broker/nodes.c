/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the lives of virtual nodes: commands change what a node does; a clock, which runs only
 * while not all is well, does what the controllers of a real cluster would do after a while. Loop
 * thread only. */
#include "broker/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/fetch.h"
#include "broker/front.h"
#include "broker/group.h"
#include "broker/leaders.h"
#include "broker/part.h"
#include "broker/tc.h"

enum {
    TICK_MS = 10,
    ELECTION_MS = 500, /* until the controllers notice that theirs is gone */
    JOIN_MS = 100,     /* from a start, or an awakening, to being a member again */
    HAND_OVER_MS = 100,
    DEATH_MS = 5,   /* requests of that time have their effect and no answer */
    VERB_MAX = 20,  /* that a message shows */
    LOAD_MS = 80,   /* a coordinator reads its log */
    ZOMBIE_MS = 20, /* until a node that was paused learns what happened meanwhile */
};

bool nodes_answers(const struct node *n)
{
    return n->state == NODE_RUNS || n->state == NODE_STOPS;
}

bool nodes_runs(const struct node *n)
{
    return nodes_answers(n) || n->state == NODE_DIES;
}

const struct node *nodes_find(const struct broker *b, int id)
{
    return id > 0 ? &b->nodes[id - 1] : NULL;
}

/* ---- coordinators -----------------------------------------------------------------------------
 */

int nodes_coordinates(const struct call *c, const struct partition *home)
{
    if (home->leader != c->node->id) {
        return KAFKA_NOT_COORDINATOR;
    }
    return home->loads_until ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_NONE;
}

bool nodes_believes(const struct call *c, const struct partition *home)
{
    const struct node *n = c->node;
    return home->former == n->id && n->woken && state_mono_ms() - n->woken < ZOMBIE_MS;
}

bool nodes_coordinated(const struct broker *b, const struct partition *home)
{
    const struct node *n = nodes_find(b, home->leader);
    return n && nodes_runs(n) && home->loads_until == 0;
}

bool nodes_writable(const struct broker *b, const struct partition *p)
{
    const struct node *n = nodes_find(b, p->leader);
    return n && nodes_runs(n) && leaders_enough(b, p);
}

void nodes_leader_moved(struct broker *b, struct partition *p)
{
    if (!p->topic->internal) {
        return;
    }
    bool loading = p->loads_until;
    if (!loading && strcmp(p->topic->name, OFFSETS_TOPIC) == 0) {
        group_unload(b, p);
    }
    p->loads_until = state_mono_ms() + LOAD_MS;
}

/** @return whether one still reads. */
static bool load(struct broker *b, const char *name, uint64_t now)
{
    struct topic *t = part_topic(b, name);
    bool offsets = strcmp(name, OFFSETS_TOPIC) == 0, any = false;
    for (int32_t i = 0; t && i < t->nparts; i++) {
        struct partition *p = t->parts[i];
        const struct node *n = nodes_find(b, p->leader);
        if (p->loads_until && n && nodes_runs(n) && now >= p->loads_until) {
            p->loads_until = 0;
            (offsets ? group_load : tc_load)(b, p);
        }
        any = any || p->loads_until;
    }
    return any;
}

/* ---- the controllers --------------------------------------------------------------------------
 */

int nodes_controllers(const struct broker *b)
{
    return b->nnodes % 2 ? b->nnodes : b->nnodes - 1;
}

static bool has_quorum(const struct broker *b)
{
    int n = 0;
    for (int i = 0; i < nodes_controllers(b); i++) {
        n += nodes_runs(&b->nodes[i]) || b->nodes[i].state == NODE_STARTS;
    }
    return n > nodes_controllers(b) / 2;
}

static bool can_lead(const struct node *n)
{
    return n->state == NODE_RUNS || n->state == NODE_STARTS;
}

static void elect_controller(struct broker *b, uint64_t now)
{
    const struct node *n = nodes_find(b, b->controller);
    bool quorum = has_quorum(b);
    bool noticed = n && !can_lead(n) && (now - n->since >= ELECTION_MS || b->nnodes == 1);
    if (n && quorum && !noticed) {
        return;
    }
    b->controller = -1;
    for (int i = 0; quorum && i < nodes_controllers(b) && b->controller < 0; i++) {
        b->controller = can_lead(&b->nodes[i]) ? b->nodes[i].id : -1;
    }
}

static void fence(struct broker *b, struct node *n)
{
    n->fenced = true;
    leaders_lose(b, n->id);
}

/* ---- the clock --------------------------------------------------------------------------------
 */

static void said(const struct node *n, const char *what)
{
    if (n->b->on_node) {
        n->b->on_node(n->b->node_arg, n->id, what);
    }
}

static void enter(struct node *n, enum node_state state)
{
    n->state = state;
    n->since = state_mono_ms();
}

static void go_down(struct node *n)
{
    enter(n, NODE_DOWN);
    n->woken = 0;
    front_node_close(n);
    said(n, "down");
}

static void join(struct node *n)
{
    n->fenced = false;
    leaders_regain(n->b, n->id);
}

/** A new incarnation: whatever the old one led is given away first; clients may come when it is a
 *  member again, as in Kafka. */
static void start(struct node *n, uint64_t age)
{
    struct err e;
    if (!n->fenced) {
        fence(n->b, n);
    }
    if (age < JOIN_MS || front_node_open(n, &e) < 0) { /* the port is reserved: once more */
        return;
    }
    enter(n, NODE_RUNS);
    join(n);
    said(n, "up");
}

static void look_at(struct node *n, uint64_t now)
{
    struct broker *b = n->b;
    uint64_t age = now - n->since;
    uint64_t session = (uint64_t)props_get(&b->props, NULL, PROP_BROKER_SESSION);
    switch (n->state) {
    case NODE_STOPS:
        if (age >= HAND_OVER_MS) {
            go_down(n);
        }
        return;
    case NODE_DIES:
        if (age >= DEATH_MS) {
            go_down(n);
        }
        return;
    case NODE_STARTS:
        if (b->controller > 0) {
            start(n, age);
        }
        return;
    case NODE_RUNS:
        if (n->fenced && age >= JOIN_MS && b->controller > 0) {
            join(n);
        }
        return;
    default:
        if (!n->fenced && age >= session && b->controller > 0) {
            fence(b, n);
        }
    }
}

static bool all_well(const struct broker *b)
{
    bool well = b->controller > 0;
    for (int i = 0; i < b->nnodes; i++) {
        well = well && b->nodes[i].state == NODE_RUNS && !b->nodes[i].fenced;
    }
    return well;
}

static void tick(void *arg)
{
    struct broker *b = arg;
    uint64_t now = state_mono_ms();
    elect_controller(b, now);
    for (int i = 0; i < b->nnodes; i++) {
        look_at(&b->nodes[i], now);
    }
    bool groups = load(b, OFFSETS_TOPIC, now), txns = load(b, TXN_TOPIC, now);
    tc_go_on(b);
    if (!groups && !txns && !b->steps && all_well(b)) {
        timer_stop(b->tick);
        b->tick = NULL;
    }
}

void nodes_watch(struct broker *b)
{
    if (!b->tick) {
        b->tick = timer_start(b->loop, TICK_MS, TICK_MS, tick, b);
    }
}

void nodes_start(struct broker *b)
{
    b->controller = 1;
}

void nodes_stop(struct broker *b)
{
    timer_stop(b->tick);
    b->tick = NULL;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static const char *state_name(enum node_state s)
{
    static const char *const names[] = {"up",       "stopping", "down",    "paused",
                                        "isolated", "down",     "starting"};
    return names[s];
}

static bool node_kill(struct node *n)
{
    if (n->state == NODE_DOWN || n->state == NODE_DIES) {
        return false;
    }
    if (nodes_runs(n)) {
        enter(n, NODE_DIES);
    } else {
        go_down(n);
    }
    return true;
}

static bool node_stop(struct node *n)
{
    if (n->state != NODE_RUNS) {
        return false;
    }
    enter(n, NODE_STOPS);
    said(n, "stopping");
    if (!n->fenced) {
        fence(n->b, n);
    }
    return true;
}

static bool freeze(struct node *n, enum node_state state)
{
    if (n->state != NODE_RUNS) {
        return false;
    }
    enter(n, state);
    front_node_freeze(n);
    said(n, state_name(state));
    return true;
}

static bool node_pause(struct node *n)
{
    return freeze(n, NODE_PAUSED);
}

static bool node_isolate(struct node *n)
{
    return freeze(n, NODE_ISOLATED);
}

static bool node_resume(struct node *n)
{
    if (n->state != NODE_PAUSED && n->state != NODE_ISOLATED) {
        return false;
    }
    bool lost = n->state == NODE_ISOLATED;
    enter(n, NODE_RUNS);
    n->woken = lost ? 0 : n->since;
    if (lost) {
        front_node_cut(n);
    }
    front_node_thaw(n);
    fetch_thaw(n->b);
    said(n, "up");
    return true;
}

static bool node_restart(struct node *n)
{
    if (n->state != NODE_DOWN) {
        return false;
    }
    enter(n, NODE_STARTS);
    return true;
}

static const struct {
    const char *verb;
    bool (*fn)(struct node *n); /**< @return false: not in this state */
} commands[] = {
    {"kill", node_kill},       {"stop", node_stop},     {"pause", node_pause},
    {"isolate", node_isolate}, {"resume", node_resume}, {"restart", node_restart},
};

int broker_command(struct broker *b, const char *text, struct err *e)
{
    size_t len = strcspn(text, " ");
    char *end = NULL;
    long id = text[len] ? strtol(text + len + 1, &end, 10) : 0;
    if (len == 0 || !end || end == text + len + 1 || *end) {
        return err_set(e, ERR_USAGE, 0, "'%.40s' is not VERB NODE, such as kill 2", text);
    }
    if (id < 1 || id > b->nnodes) {
        return err_set(e, ERR_USAGE, 0, "there is no node %ld: the nodes are 1 to %d", id,
                       b->nnodes);
    }
    struct node *n = &b->nodes[id - 1];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const char *verb = commands[i].verb;
        if (strlen(verb) == len && memcmp(verb, text, len) == 0) {
            nodes_watch(b);
            return commands[i].fn(n) ? 0
                                     : err_set(e, ERR_USAGE, 0, "%s: node %d is %s", verb, n->id,
                                               state_name(n->state));
        }
    }
    return err_set(e, ERR_USAGE, 0,
                   "'%.*s' is not known: kill, stop, pause, isolate, resume or restart",
                   len < VERB_MAX ? (int)len : VERB_MAX, text);
}
