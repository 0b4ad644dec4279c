/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the partitions of a Fetch come together from the request and its session. Loop thread
 * only. */
#include "broker/fetch_plan.h"

#include "broker/topicref.h"

enum { IDS_FROM = 13, EPOCH_FULL = 0, EPOCH_FINAL = -1 };

static size_t count(const struct wire_value *req, const char *list)
{
    size_t n = 0;
    for (size_t i = 0; i < wire_count(req, list); i++) {
        n += wire_count(wire_at(req, list, i), "Partitions");
    }
    return n;
}

/** The partitions that the request says. */
static void read_request(struct call *c, struct fetch_plan *p)
{
    const struct wire_value *req = &c->req.root;
    p->asks = arena_alloc(&c->req.mem, (count(req, "Topics") + 1) * sizeof *p->asks);
    for (size_t i = 0; i < wire_count(req, "Topics"); i++) {
        const struct wire_value *t = wire_at(req, "Topics", i);
        struct topicref at = topicref_read(c, t, "Topic", c->version >= IDS_FROM);
        const char *name = arena_str(&c->req.mem, at.name); /* the topic may go */
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            const struct wire_value *v = wire_at(t, "Partitions", k);
            p->asks[p->n++] =
                (struct fetch_ask){.name = name,
                                   .id = at.id,
                                   .partition = (int32_t)wire_int(v, "Partition"),
                                   .epoch = (int32_t)wire_int(v, "CurrentLeaderEpoch"),
                                   .last_epoch = (int32_t)wire_int(v, "LastFetchedEpoch"),
                                   .max_bytes = (int32_t)wire_int(v, "PartitionMaxBytes"),
                                   .offset = wire_int(v, "FetchOffset")};
        }
    }
}

/** All partitions of the session, in the order of their turns. */
static void read_session(struct call *c, struct fetch_plan *p)
{
    const struct fetch_session *s = p->session;
    p->asks = arena_alloc(&c->req.mem, (s->n + 1) * sizeof *p->asks);
    p->n = 0;
    for (struct fetch_cached *x = s->first; x; x = x->next) {
        p->asks[p->n++] = (struct fetch_ask){.name = x->name,
                                             .id = s->by_id ? x->id : NULL,
                                             .partition = x->partition,
                                             .epoch = x->epoch,
                                             .last_epoch = x->last_epoch,
                                             .max_bytes = x->max_bytes,
                                             .offset = x->offset,
                                             .cached = x};
    }
}

static void forget_partitions(struct call *c, struct fetch_session *s)
{
    const struct wire_value *req = &c->req.root;
    for (size_t i = 0; i < wire_count(req, "ForgottenTopicsData"); i++) {
        const struct wire_value *t = wire_at(req, "ForgottenTopicsData", i);
        struct topicref at = topicref_read(c, t, "Topic", s->by_id);
        for (size_t k = 0; k < wire_count(t, "Partitions"); k++) {
            struct fetch_ask ask = {
                .name = at.name, .id = at.id, .partition = (int32_t)wire_at(t, "Partitions", k)->i};
            fetch_session_forget(s, &ask);
        }
    }
}

static int go_on(struct call *c, struct fetch_plan *p, int32_t id, int32_t epoch)
{
    struct fetch_session *s = fetch_session_find(c, id);
    if (!s) {
        return KAFKA_FETCH_SESSION_ID_NOT_FOUND;
    }
    if (s->epoch != epoch) {
        return KAFKA_INVALID_FETCH_SESSION_EPOCH;
    }
    if (s->n > 0 && s->by_id != (c->version >= IDS_FROM)) {
        return KAFKA_FETCH_SESSION_TOPIC_ID_ERROR;
    }
    read_request(c, p);
    if (!fetch_session_room(c->b, p->n)) {
        fetch_session_end(c->b, s);
        return KAFKA_FETCH_SESSION_ID_NOT_FOUND;
    }
    s->refs++;
    p->session = s;
    s->by_id = c->version >= IDS_FROM;
    for (size_t i = 0; i < p->n; i++) {
        fetch_session_ask(s, &p->asks[i]);
    }
    forget_partitions(c, s);
    if (s->n == 0) { /* nothing is left: the request stands for itself */
        p->session = NULL;
        fetch_session_end(c->b, s);
        fetch_session_drop(s);
        return KAFKA_NONE;
    }
    s->used = state_mono_ms();
    p->epoch = s->epoch = fetch_session_next(s->epoch);
    read_session(c, p);
    return KAFKA_NONE;
}

int fetch_plan_make(struct call *c)
{
    struct fetch_plan *p = c->plan = arena_alloc(&c->req.mem, sizeof *p);
    int32_t id = (int32_t)wire_int(&c->req.root, "SessionId");
    int32_t epoch = (int32_t)wire_int(&c->req.root, "SessionEpoch");
    if (epoch != EPOCH_FULL && epoch != EPOCH_FINAL) {
        return go_on(c, p, id, epoch);
    }
    struct fetch_session *former = id == FETCH_NO_SESSION ? NULL : fetch_session_find(c, id);
    if (former) {
        fetch_session_end(c->b, former);
    }
    p->begins = epoch == EPOCH_FULL;
    read_request(c, p);
    return KAFKA_NONE;
}

void fetch_plan_free(struct call *c)
{
    if (c->plan && c->plan->session) {
        fetch_session_drop(c->plan->session);
    }
    c->plan = NULL;
}
