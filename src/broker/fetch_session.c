/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where sessions are kept, and their limits: as many as in Kafka, and altogether no more
 * partitions than memory is meant for. A session that is in use is not pushed out for two minutes;
 * when there is no room, a fetch is answered without one. Loop thread only. */
#include "broker/fetch_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "broker/part.h"

enum { SESSIONS_MAX = 1000, PARTITIONS_MAX = 200000, KEPT_MS = 120000 };

/* ---- partitions -------------------------------------------------------------------------------
 */

/** Finds the place of a partition; name or id, then its number. */
static struct map_entry *place(struct map *m, const char *name, const uint8_t *id,
                               int32_t partition, bool make)
{
    struct buf key = {0};
    if (id) {
        buf_append(&key, id, TOPIC_ID_BYTES);
    } else {
        buf_append(&key, name, strlen(name) + 1);
    }
    buf_append(&key, &partition, sizeof partition);
    struct map_entry *at =
        make ? map_put(m, key.data, key.len, NULL) : map_get(m, key.data, key.len);
    buf_free(&key);
    return at;
}

static void unlink_cached(struct fetch_session *s, struct fetch_cached *x)
{
    *x->link = x->next;
    if (x->next) {
        x->next->link = x->link;
    } else {
        s->last = x->link;
    }
}

static void link_last(struct fetch_session *s, struct fetch_cached *x)
{
    x->next = NULL;
    x->link = s->last;
    *s->last = x;
    s->last = &x->next;
}

static void free_list(struct fetch_cached *x)
{
    while (x) {
        struct fetch_cached *next = x->next;
        free(x->name);
        free(x);
        x = next;
    }
}

/** A partition, its name or id, and its place. */
enum { CACHED_COST = sizeof(struct fetch_cached) + 64 + STATE_ENTRY };

static void charge(struct fetch_session *s)
{
    state_charge(s->b, &s->cost, sizeof *s + s->n * CACHED_COST);
}

bool fetch_session_room(const struct broker *b, size_t n)
{
    return state_room(b, n * CACHED_COST);
}

struct fetch_cached *fetch_session_ask(struct fetch_session *s, const struct fetch_ask *ask)
{
    map_sweep(&s->parts);
    struct map_entry *at = place(&s->parts, ask->name, ask->id, ask->partition, true);
    struct fetch_cached *x = at->p;
    if (!x) {
        x = at->p = xcalloc(1, sizeof *x);
        x->partition = ask->partition;
        x->high = x->start = -1;
        if (ask->id) {
            memcpy(x->id, ask->id, sizeof x->id);
        }
        link_last(s, x);
        s->n++;
        charge(s);
    }
    if (!x->name && ask->name) {
        x->name = xstrdup(ask->name);
    }
    x->epoch = ask->epoch;
    x->last_epoch = ask->last_epoch;
    x->max_bytes = ask->max_bytes;
    x->offset = ask->offset;
    return x;
}

void fetch_session_forget(struct fetch_session *s, const struct fetch_ask *ask)
{
    struct map_entry *at = place(&s->parts, ask->name, ask->id, ask->partition, false);
    struct fetch_cached *x = at ? at->p : NULL;
    if (!x) {
        return;
    }
    at->p = NULL;
    unlink_cached(s, x);
    s->n--;
    x->next = s->gone;
    s->gone = x;
    charge(s);
}

bool fetch_session_changed(const struct fetch_ask *ask)
{
    const struct fetch_cached *x = ask->cached;
    return !x || ask->failed || ask->some || x->high != ask->high || x->start != ask->start;
}

static void note_said(struct fetch_cached *x, const struct fetch_ask *ask)
{
    x->high = ask->failed ? -1 : ask->high;
    x->start = ask->start;
}

void fetch_session_said(struct fetch_session *s, const struct fetch_ask *ask)
{
    struct fetch_cached *x = ask->cached;
    note_said(x, ask);
    if (ask->some) { /* the others come first next time */
        unlink_cached(s, x);
        link_last(s, x);
    }
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

static struct fetch_session *session_at(const struct broker *b, size_t i)
{
    return b->fetch_sessions.items[i];
}

int32_t fetch_session_next(int32_t epoch)
{
    return epoch == INT32_MAX ? 1 : epoch + 1;
}

struct fetch_session *fetch_session_find(const struct call *c, int32_t id)
{
    for (size_t i = 0; i < c->b->fetch_sessions.n; i++) {
        struct fetch_session *s = session_at(c->b, i);
        if (s->id == id && s->node == c->node->id) {
            return s->since == c->node->since ? s : NULL;
        }
    }
    return NULL;
}

void fetch_session_drop(struct fetch_session *s)
{
    s->refs--;
    if (s->refs <= 1) { /* nobody reads the names of what is gone */
        free_list(s->gone);
        s->gone = NULL;
    }
    if (s->refs == 0) {
        free_list(s->first);
        map_free(&s->parts);
        free(s);
    }
}

void fetch_session_end(struct broker *b, struct fetch_session *s)
{
    size_t i = 0;
    while (session_at(b, i) != s) {
        i++;
    }
    b->fetch_sessions.items[i] = b->fetch_sessions.items[--b->fetch_sessions.n];
    s->epoch = -1; /* no request fits any more */
    state_charge(b, &s->cost, 0);
    fetch_session_drop(s);
}

void fetch_session_end_all(struct broker *b)
{
    while (b->fetch_sessions.n > 0) {
        fetch_session_end(b, session_at(b, 0));
    }
    free(b->fetch_sessions.items);
}

/** Ends sessions of former lives of nodes; @return how many partitions the others have. */
static size_t count(struct broker *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->fetch_sessions.n;) {
        struct fetch_session *s = session_at(b, i);
        if (s->since != b->nodes[s->node - 1].since) {
            fetch_session_end(b, s);
        } else {
            n += s->n;
            i++;
        }
    }
    return n;
}

/** Room for a session more; the one that nobody has used for the longest time may go. */
static bool make_room(struct broker *b, size_t partitions)
{
    size_t held = count(b);
    while (b->fetch_sessions.n >= SESSIONS_MAX || held + partitions > PARTITIONS_MAX) {
        struct fetch_session *oldest = NULL;
        for (size_t i = 0; i < b->fetch_sessions.n; i++) {
            struct fetch_session *s = session_at(b, i);
            if (s->used + KEPT_MS < state_mono_ms() && (!oldest || s->used < oldest->used)) {
                oldest = s;
            }
        }
        if (!oldest) {
            return false;
        }
        held -= oldest->n;
        fetch_session_end(b, oldest);
    }
    return true;
}

static int32_t new_id(const struct call *c)
{
    int32_t id = 0;
    while (id == FETCH_NO_SESSION || fetch_session_find(c, id)) {
        uint32_t r;
        if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r) {
            abort();
        }
        id = (int32_t)(r & INT32_MAX);
    }
    return id;
}

struct fetch_session *fetch_session_new(struct call *c, const struct fetch_ask *asks, size_t n)
{
    if (!make_room(c->b, n) || !fetch_session_room(c->b, n)) {
        return NULL;
    }
    struct fetch_session *s = xcalloc(1, sizeof *s);
    *s = (struct fetch_session){.b = c->b,
                                .id = new_id(c),
                                .epoch = 1,
                                .node = c->node->id,
                                .since = c->node->since,
                                .used = state_mono_ms(),
                                .by_id = n > 0 && asks[0].id,
                                .refs = 1};
    s->last = &s->first;
    *VEC_PUSH(&c->b->fetch_sessions) = s;
    for (size_t i = 0; i < n; i++) {
        note_said(fetch_session_ask(s, &asks[i]), &asks[i]);
    }
    return s;
}
