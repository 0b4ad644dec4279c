/* SPDX-License-Identifier: Apache-2.0 */
/* Hides what a session consists of: connections that come and go, requests that are right, spoiled,
 * repeated or no requests at all, peers that do not read, time that passes. Every answer is decoded
 * and must belong to a request, in order; at the end a new client must be served, and the broker
 * must leave nothing behind. */
#include "session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/broker.h"
#include "broker/call.h"
#include "invariants.h"
#include "model.h"
#include "wire/schema.h"

enum {
    CONNS = 6,
    STEPS = 120,
    KEPT = 16,        /* frames that may be sent again */
    SETTLE = 20000,   /* turns in which everything that needs no time must be done */
    SLACK = 96 << 20, /* bytes of one session beyond the limit for logs */
    HEX_MAX = 400,
    LOOK_EVERY = 10,
    TRIES = 10,
};

struct expected {
    int32_t correlation;
    int16_t api, version;
    bool mute; /**< may have no answer: Produce with acks 0 */
    struct model_focus focus;
};
struct client {
    struct peer *peer;
    bool wild; /**< its stream is out of step: answers cannot be foreseen */
    struct {
        struct expected *items;
        size_t n, cap;
    } queue;
    size_t at;
};
struct session {
    uint64_t seed;
    bool verbose, lossy; /**< lossy: the broker loses connections on purpose */
    struct dice dice;
    struct model model;
    struct loop *loop;
    struct broker *b;
    struct broker_opts o;
    struct client clients[CONNS];
    struct buf kept[KEPT];
    struct session_stats *stats;
    int step;
    int32_t correlation;
    size_t before, trace_bytes;
};

static void say(const struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct session *s, const char *fmt, ...)
{
    va_list ap;
    if (s->verbose) {
        printf("  step %d: ", s->step);
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
        printf("\n");
        fflush(stdout);
    }
}

static _Noreturn void broken(const struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static _Noreturn void broken(const struct session *s, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "fuzz: seed %" PRIu64 ", step %d: ", s->seed, s->step);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    abort();
}

static void say_bytes(const struct session *s, int client, const char *what, const struct buf *f)
{
    char hex[2 * HEX_MAX + 1] = "";
    for (size_t i = 0; s->verbose && i < f->len && i < HEX_MAX; i++) {
        snprintf(hex + 2 * i, 3, "%02x", (uint8_t)f->data[i]);
    }
    say(s, "client %d sends %s, %zu bytes: %s", client, what, f->len, hex);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static uint32_t u32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/** Whether an error code other than 0 is in it. */
static bool has_error(const struct wire_value *v)
{
    if (v->kind == WIRE_NUMBER && v->i != 0) {
        const char *tail = strstr(v->field->name, "ErrorCode");
        return tail != NULL;
    }
    for (int32_t i = 0; (v->kind == WIRE_GROUP || v->kind == WIRE_LIST) && i < v->a.n; i++) {
        if (has_error(&v->a.items[i])) {
            return true;
        }
    }
    return false;
}

static const struct expected *next_expected(struct session *s, struct client *c, int32_t id)
{
    while (c->at < c->queue.n) {
        const struct expected *x = &c->queue.items[c->at++];
        if (x->correlation == id) {
            return x;
        }
        if (!x->mute) {
            broken(s, "an answer to %d came before the one to %d", (int)id, (int)x->correlation);
        }
    }
    broken(s, "an answer to %d, which nobody asked", (int)id);
}

static void take_answer(struct session *s, struct client *c, const char *frame, size_t len)
{
    struct wire_msg m;
    struct err e;
    if (len < 4) {
        broken(s, "an answer of %zu bytes", len);
    }
    s->stats->answers++;
    if (c->wild) {
        return;
    }
    const struct expected *x = next_expected(s, c, (int32_t)u32(frame));
    const struct api *row = api_find(x->api);
    bool unknown = x->api == API_API_VERSIONS && (x->version < row->min || x->version > row->max);
    int16_t version = unknown ? 0 : x->version;
    const struct wire_schema *schema = wire_schema(x->api, WIRE_RESPONSE);
    size_t head = wire_header_tagged(schema, version) ? 5 : 4;
    if (len < head || wire_decode(&m, schema, version, frame + head, len - head, &e) < 0) {
        broken(s, "the answer to %s/%d makes no sense: %s", wire_api_name(x->api), x->version,
               len < head ? "no header" : e.msg);
    }
    bool bad = has_error(&m.root);
    s->stats->answered[x->api]++;
    s->stats->good[x->api] += !bad;
    say(s, "the answer to %s/%d is %s", wire_api_name(x->api), x->version,
        bad ? "an error" : "good");
    model_learn(&s->model, &x->focus, &m);
    wire_free(&m);
}

static void drop_client(struct client *c)
{
    if (c->peer) {
        peer_close(c->peer);
    }
    free(c->queue.items);
    *c = (struct client){0};
}

static void take_answers(struct session *s)
{
    for (int i = 0; i < CONNS; i++) {
        struct client *c = &s->clients[i];
        struct buf *in = c->peer ? peer_received(c->peer) : NULL;
        while (in && in->len >= 4) {
            size_t size = u32(in->data);
            if (size > 1u << 30) {
                broken(s, "an answer of %zu bytes", size);
            }
            if (in->len - 4 < size) {
                break;
            }
            take_answer(s, c, in->data + 4, size);
            buf_consume(in, 4 + size);
        }
        if (c->peer && peer_ended(c->peer)) {
            say(s, "the broker has ended client %d", i);
            s->stats->closed++;
            drop_client(c);
        }
    }
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static void expect_answer(struct session *s, struct client *c, const struct buf *f,
                          const struct model_focus *focus)
{
    struct wire_header h;
    struct err e;
    if (f->len < 4 || wire_decode_header(&h, f->data + 4, f->len - 4, &e) < 0) {
        return; /* ends the connection */
    }
    *VEC_PUSH(&c->queue) = (struct expected){.correlation = h.correlation,
                                             .api = h.api,
                                             .version = h.version,
                                             .mute = h.api == API_PRODUCE,
                                             .focus = *focus};
}

static void keep(struct session *s, const struct buf *f)
{
    struct buf *k = &s->kept[dice_below(&s->dice, KEPT)];
    k->len = 0;
    buf_append(k, f->data, f->len);
}

/** A request of any api; or of the one given, as the next of a flow. */
static void make_frame(struct session *s, struct buf *f, const struct api *next)
{
    size_t n;
    const struct api *table = api_table(&n);
    const struct api *row = next ? next : &table[dice_below(&s->dice, n)];
    struct wire_msg m;
    struct err e;
    int16_t version =
        (int16_t)(row->min_used +
                  (int)dice_below(&s->dice, (uint64_t)(row->max - row->min_used + 1)));
    s->model.now_ms = (int64_t)(state_now_ms());
    model_request(&s->model, &m, row->key, version, next != NULL);
    if (wire_encode_request(&m, ++s->correlation, dice_one_in(&s->dice, 5) ? NULL : "fuzz", f, &e) <
        0) {
        broken(s, "a request cannot be written: %s", e.msg);
    }
    wire_free(&m);
    s->stats->asked[row->key]++;
    if (!next && dice_one_in(&s->dice, 60)) { /* a version that is not offered */
        int16_t odd =
            dice_one_in(&s->dice, 2) ? (int16_t)(row->max + 1) : (int16_t)dice_next(&s->dice);
        f->data[6] = (char)(odd >> 8);
        f->data[7] = (char)odd;
    }
    say(s, "%s/%d #%d%s", wire_api_name(row->key), version, (int)s->correlation,
        s->model.at.wild ? ", wild" : "");
}

/** Frees f. whole: its size is right. */
static void send_bytes(struct session *s, int i, struct buf *f, bool whole)
{
    struct client *c = &s->clients[i];
    if (whole) {
        expect_answer(s, c, f, &s->model.at);
    } else {
        c->wild = true;
    }
    s->stats->frames++;
    s->stats->bytes += f->len;
    peer_send(c->peer, f->data ? f->data : "", f->len);
    buf_free(f);
}

static void send_frame(struct session *s, int i, bool old)
{
    struct buf f = {0};
    struct model_focus focus;
    if (old) {
        const struct buf *k = &s->kept[dice_below(&s->dice, KEPT)];
        buf_append(&f, k->data ? k->data : "", k->len);
        focus = s->model.at;
    } else {
        make_frame(s, &f, NULL);
        focus = s->model.at;
        keep(s, &f);
    }
    bool whole = true;
    s->model.at = focus;
    if (f.len > 0 && dice_one_in(&s->dice, 6)) {
        s->stats->spoiled++;
        whole = model_spoil(&s->dice, &f);
    }
    say_bytes(s, i, old ? "a frame again" : "it", &f);
    send_bytes(s, i, &f, whole);
}

static void send_noise(struct session *s, int i)
{
    struct buf f = {0};
    for (uint64_t n = 1 + dice_below(&s->dice, 100); n > 0; n--) {
        uint8_t byte = dice_one_in(&s->dice, 2) ? 0 : (uint8_t)dice_next(&s->dice);
        buf_append(&f, &byte, 1);
    }
    s->clients[i].wild = true;
    say_bytes(s, i, "noise", &f);
    peer_send(s->clients[i].peer, f.data, f.len);
    buf_free(&f);
}

/** The first bytes of a frame, and nothing after them. */
static void send_half(struct session *s, int i)
{
    struct buf f = {0};
    make_frame(s, &f, NULL);
    f.len = dice_below(&s->dice, f.len);
    s->clients[i].wild = true;
    say_bytes(s, i, "half of it", &f);
    peer_send(s->clients[i].peer, f.data, f.len);
    buf_free(&f);
}

static void pass_time(struct session *s)
{
    static const uint64_t steps[] = {1, 10, 100, 1000, 10000, 60000, 700000, 3600000};
    uint64_t ms = steps[dice_below(&s->dice, dice_one_in(&s->dice, 6) ? ARRAY_LEN(steps) : 4)];
    say(s, "%" PRIu64 " ms pass", ms);
    world_pass(s->loop, ms);
}

/** What clients do for a living, with a fault now and then. */
static void send_flow(struct session *s, int i)
{
    static const int16_t transaction[] = {API_INIT_PRODUCER_ID,
                                          API_ADD_PARTITIONS_TO_TXN,
                                          API_PRODUCE,
                                          API_PRODUCE,
                                          API_ADD_OFFSETS_TO_TXN,
                                          API_TXN_OFFSET_COMMIT,
                                          API_FETCH,
                                          API_END_TXN,
                                          API_FETCH,
                                          API_LIST_OFFSETS};
    static const int16_t group[] = {API_JOIN_GROUP,      API_JOIN_GROUP,    API_SYNC_GROUP,
                                    API_HEARTBEAT,       API_OFFSET_COMMIT, API_OFFSET_FETCH,
                                    API_DESCRIBE_GROUPS, API_LEAVE_GROUP};
    static const int16_t consumers[] = {
        API_CONSUMER_GROUP_HEARTBEAT, API_CONSUMER_GROUP_HEARTBEAT, API_OFFSET_COMMIT,
        API_CONSUMER_GROUP_DESCRIBE,  API_CONSUMER_GROUP_HEARTBEAT, API_OFFSET_FETCH};
    static const struct {
        const int16_t *list;
        size_t n;
    } flows[] = {{transaction, ARRAY_LEN(transaction)},
                 {group, ARRAY_LEN(group)},
                 {consumers, ARRAY_LEN(consumers)}};
    size_t which = dice_below(&s->dice, ARRAY_LEN(flows)), n = flows[which].n;
    const int16_t *list = flows[which].list;
    s->model.at.producer = (int)dice_below(&s->dice, MODEL_PRODUCERS);
    s->model.at.member = (int)dice_below(&s->dice, MODEL_MEMBERS);
    for (size_t k = 0; k < n && s->clients[i].peer; k++) {
        struct buf f = {0};
        if (dice_one_in(&s->dice, 10)) {
            continue;
        }
        make_frame(s, &f, api_find(list[k]));
        keep(s, &f);
        say_bytes(s, i, "it", &f);
        send_bytes(s, i, &f, true);
        world_settle(s->loop, SETTLE);
        take_answers(s);
        if (dice_one_in(&s->dice, 10)) {
            pass_time(s);
        }
    }
}

/* ---- steps ------------------------------------------------------------------------------------
 */

static int some_port(struct session *s)
{
    const char *list = broker_bootstrap(s->b, 0);
    for (uint64_t n = dice_below(&s->dice, (uint64_t)s->o.nodes); n > 0; n--) {
        const char *comma = strchr(list, ',');
        list = comma ? comma + 1 : list;
    }
    return (int)strtol(strchr(list, ':') + 1, NULL, 10);
}

/** A node dies, freezes, is cut off or comes back; what makes no sense now is refused. */
static void command_node(struct session *s)
{
    static const char *const verbs[] = {"kill", "stop", "pause", "isolate", "resume", "restart"};
    char text[32];
    struct err e;
    snprintf(text, sizeof text, "%s %d", verbs[dice_below(&s->dice, ARRAY_LEN(verbs))],
             1 + (int)dice_below(&s->dice, (uint64_t)s->o.nodes));
    int rc = broker_command(s->b, text, &e);
    say(s, "%s: %s", text, rc < 0 ? e.msg : "done");
}

static void let_pass(struct session *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        world_pass(s->loop, 1000);
        world_settle(s->loop, SETTLE);
    }
}

static void command_all(struct session *s, const char *verb)
{
    char text[32];
    struct err e;
    for (int n = 1; n <= s->o.nodes; n++) {
        snprintf(text, sizeof text, "%s %d", verb, n);
        broker_command(s->b, text, &e);
    }
}

/** All nodes come back, and have the time to find together. */
static void heal(struct session *s)
{
    let_pass(s, 10); /* one that is stopping is down now */
    command_all(s, "resume");
    command_all(s, "restart");
    let_pass(s, 60);
}

static void one_step(struct session *s)
{
    int i = (int)dice_below(&s->dice, CONNS);
    struct client *c = &s->clients[i];
    if (!c->peer) {
        c->peer = world_connect(s->loop, some_port(s));
        say(s, "client %d connects%s", i, c->peer ? "" : ": refused");
    }
    if (!c->peer || (s->o.nodes > 1 && dice_one_in(&s->dice, 12))) {
        command_node(s);
        return;
    }
    switch (dice_below(&s->dice, 40)) {
    case 0:
        say(s, "client %d goes", i);
        drop_client(c);
        break;
    case 1:
        send_noise(s, i);
        break;
    case 2:
        send_half(s, i);
        break;
    case 3:
    case 4:
        say(s, "client %d reads: %d", i, !peer_reads(c->peer));
        peer_read(c->peer, !peer_reads(c->peer));
        break;
    case 5:
    case 6:
    case 7:
        pass_time(s);
        break;
    case 8:
    case 9:
        send_frame(s, i, true);
        break;
    case 10: /* a flood */
        for (uint64_t n = dice_below(&s->dice, 30); n > 0; n--) {
            send_frame(s, i, false);
        }
        break;
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
        send_flow(s, i);
        break;
    default:
        send_frame(s, i, false);
    }
}

static void check_state(struct session *s)
{
    const char *bad = invariants_broken(s->b);
    if (bad) {
        broken(s, "%s", bad);
    }
}

static void check_memory(struct session *s)
{
    size_t memory = invariants_memory() - s->before;
    if (memory > s->o.memory + SLACK) {
        broken(s, "%zu bytes are in use", memory);
    }
    if (memory > s->stats->most_memory) {
        s->stats->most_memory = memory;
    }
}

/* ---- begin and end ----------------------------------------------------------------------------
 */

static void on_trace(void *arg, const char *line)
{
    struct session *s = arg;
    s->trace_bytes += strlen(line);
}

static void begin(struct session *s)
{
    static const struct broker_setting settings[] = {
        {"group.min.session.timeout.ms", "100"},
        {"offsets.topic.num.partitions", "3"},
        {"transactional.id.expiration.ms", "1000"},
        {"transaction.remove.expired.transaction.cleanup.interval.ms", "100"},
        {"group.max.size", "3"},
        {"connections.max.idle.ms", "5000"},
        {"kaos.completion.max.ms", "50"},
        {"kaos.lost.connections.percent", "5"},
    };
    static const uint64_t limits[] = {0, 16 << 10, 128 << 10, 2 << 20};
    struct err e;
    s->loop = world_new(s->seed);
    s->o = (struct broker_opts){.loop = s->loop,
                                .nodes =
                                    dice_one_in(&s->dice, 3) ? 2 + (int)dice_below(&s->dice, 2) : 1,
                                .listeners = 1,
                                .memory = limits[dice_below(&s->dice, ARRAY_LEN(limits))],
                                .settings = settings,
                                .nsettings = dice_below(&s->dice, ARRAY_LEN(settings) + 1)};
    s->lossy = s->o.nsettings == ARRAY_LEN(settings);
    s->o.seed = s->seed;
    s->o.listen[0].host = "127.0.0.1";
    s->o.transaction_version = 1 + (int)dice_below(&s->dice, 2);
    if (dice_one_in(&s->dice, 4)) {
        s->o.trace = on_trace;
        s->o.trace_arg = s;
    }
    s->b = broker_start(&s->o, &e);
    if (!s->b || broker_create_topic(s->b, "t0", 2, &e) < 0) {
        broken(s, "the broker does not start: %s", e.msg);
    }
}

/** One small request on a connection of its own. @return whether it is answered. */
static bool is_served(struct session *s)
{
    struct client *c = &s->clients[0];
    struct wire_msg m;
    struct buf f = {0};
    struct err e;
    drop_client(c);
    c->peer = world_connect(s->loop, some_port(s));
    if (!c->peer) {
        broken(s, "a node that was restarted does not listen");
    }
    wire_init(&m, wire_schema(API_API_VERSIONS, WIRE_REQUEST), 0);
    if (wire_encode_request(&m, ++s->correlation, NULL, &f, &e) < 0) {
        broken(s, "%s", e.msg);
    }
    wire_free(&m);
    expect_answer(s, c, &f, &(struct model_focus){.api = API_API_VERSIONS});
    peer_send(c->peer, f.data, f.len);
    buf_free(&f);
    world_settle(s->loop, SETTLE);
    take_answers(s);
    return c->peer && c->at == 1;
}

/** A client that comes last is served; some brokers of ours lose connections on purpose. */
static void check_lives(struct session *s)
{
    int tries = s->lossy ? TRIES : 1;
    drop_client(&s->clients[0]);
    heal(s);
    take_answers(s);
    while (!is_served(s)) {
        if (--tries == 0) {
            broken(s, "a new client is not served");
        }
    }
}

static void end(struct session *s)
{
    for (int i = 0; i < CONNS; i++) {
        drop_client(&s->clients[i]);
    }
    for (int i = 0; i < KEPT; i++) {
        buf_free(&s->kept[i]);
    }
    broker_free(s->b);
    world_settle(s->loop, SETTLE);
    const char *left = world_free(s->loop);
    if (left) {
        broken(s, "the broker has ended and left %s", left);
    }
}

void session_run(uint64_t seed, bool verbose, struct session_stats *stats)
{
    struct session s = {.seed = seed, .verbose = verbose, .dice = {seed}, .stats = stats};
    stats->seed = seed;
    s.before = invariants_memory();
    model_init(&s.model, &s.dice);
    begin(&s);
    for (s.step = 1; s.step <= STEPS; s.step++) {
        one_step(&s);
        if (dice_one_in(&s.dice, 4)) {
            world_turn(s.loop);
        } else if (!world_settle(s.loop, SETTLE)) {
            broken(&s, "there is no end of things to do");
        }
        take_answers(&s);
        check_memory(&s);
        if (s.step % LOOK_EVERY == 0) {
            check_state(&s);
        }
        stats->steps++;
    }
    check_lives(&s);
    end(&s);
    stats->sessions++;
    size_t after = invariants_memory();
    if (after > s.before && stats->sessions > 1 && invariants_show_leaks()) {
        broken(&s, "%zu bytes were left behind", after - s.before);
    }
}
