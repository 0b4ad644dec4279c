/* SPDX-License-Identifier: Apache-2.0 */
/* `kaos show`: the lines of the history that belong to an id, a process or a moment, and the full
 * evidence of one finding. An id selects records (by what the verdict says of it, by key, value or
 * place), then what descends from them or they descend from, then the calls and transactions that
 * carried them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/lines.h"

/* The attempt that wrote a record: a process and a sequence number, and its transaction. */
struct attempt {
    const char *role;
    int64_t index, incarnation, seq, txn;
};

struct selection {
    const struct report *r;
    struct names names;
    struct {
        struct record_ref *items;
        size_t n, cap;
    } records;
    struct {
        struct attempt *items;
        size_t n, cap;
    } attempts;
    uint64_t first, last; /**< of the lines that the records select */
};

static bool has_record(const struct selection *s, const char *topic, int64_t partition,
                       int64_t first, int64_t last)
{
    for (size_t i = 0; i < s->records.n; i++) {
        const struct record_ref *r = &s->records.items[i];
        if (r->partition == partition && r->offset >= first && r->offset <= last &&
            strcmp(r->topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

static void add_record(struct selection *s, const char *topic, int64_t partition, int64_t offset)
{
    if (topic[0] && offset >= 0 && !has_record(s, topic, partition, offset, offset)) {
        *VEC_PUSH(&s->records) = (struct record_ref){topic, (int32_t)partition, offset};
    }
}

static bool bytes_are(const struct event *ev, int slot, const char *id)
{
    size_t len;
    const void *p = event_bytes(ev, slot, &len);
    return p && len == strlen(id) && memcmp(p, id, len) == 0;
}

/* Whether the value is a JSON object whose member `id` is id. */
static bool json_id_is(const struct event *ev, const char *id)
{
    size_t len;
    const char *p = event_bytes(ev, H_LOG_RECORD_VALUE, &len);
    if (!p || len < 2 || p[0] != '{' || !memmem(p, len, id, strlen(id))) {
        return false;
    }
    json_t *j = json_loadb(p, len, 0, NULL), *member = json_object_get(j, "id");
    char number[32] = "";
    if (json_is_integer(member)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(member));
    }
    const char *text = json_is_string(member) ? json_string_value(member) : number;
    bool is = strcmp(text, id) == 0;
    json_decref(j);
    return is;
}

static void seed_records(struct selection *s, const char *id)
{
    const struct verdict *v = s->r->v;
    for (size_t i = 0; i < v->nfindings; i++) {
        for (size_t k = 0; k < v->findings[i].ncases; k++) {
            const struct finding_case *c = &v->findings[i].cases[k];
            for (size_t n = 0; strcmp(c->id, id) == 0 && n < c->nrecords; n++) {
                add_record(s, c->records[n].topic, c->records[n].partition, c->records[n].offset);
            }
        }
    }
    for (size_t i = 0; i < s->r->es->n; i++) {
        const struct event *ev = &s->r->es->items[i];
        if (ev->kind != H_LOG_RECORD) {
            continue;
        }
        struct record_ref r = {event_str(ev, H_LOG_RECORD_TOPIC),
                               (int32_t)event_int(ev, H_LOG_RECORD_PARTITION),
                               event_int(ev, H_LOG_RECORD_OFFSET)};
        struct buf place = {0};
        view_record(&place, &r);
        if (strcmp(place.data, id) == 0 || bytes_are(ev, H_LOG_RECORD_KEY, id) ||
            bytes_are(ev, H_LOG_RECORD_VALUE, id) || json_id_is(ev, id)) {
            add_record(s, r.topic, r.partition, r.offset);
        }
        buf_free(&place);
    }
}

/* Sources and effects of what is selected, one step in each direction. */
static void follow_lineage(struct selection *s)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < s->r->es->n; i++) {
            const struct event *ev = &s->r->es->items[i];
            const char *src = ev->kind == H_LOG_RECORD ? event_str(ev, H_LOG_RECORD_SRC_TOPIC) : "";
            int64_t p = event_int(ev, H_LOG_RECORD_SRC_PARTITION);
            int64_t o = event_int(ev, H_LOG_RECORD_SRC_OFFSET);
            if (!src[0]) {
                continue;
            }
            const char *topic = event_str(ev, H_LOG_RECORD_TOPIC);
            int64_t part = event_int(ev, H_LOG_RECORD_PARTITION);
            int64_t offset = event_int(ev, H_LOG_RECORD_OFFSET);
            if (pass == 0 && has_record(s, topic, part, offset, offset)) {
                add_record(s, src, p, o);
            } else if (pass == 1 && has_record(s, src, p, o, o)) {
                add_record(s, topic, part, offset);
            }
        }
    }
}

static void collect_attempts(struct selection *s)
{
    for (size_t i = 0; i < s->r->es->n; i++) {
        const struct event *ev = &s->r->es->items[i];
        int64_t o = event_int(ev, H_LOG_RECORD_OFFSET);
        if (ev->kind == H_LOG_RECORD && event_str(ev, H_LOG_RECORD_ROLE)[0] &&
            has_record(s, event_str(ev, H_LOG_RECORD_TOPIC), event_int(ev, H_LOG_RECORD_PARTITION),
                       o, o)) {
            bool txn = event_str(ev, H_LOG_RECORD_TXN_ID)[0] != '\0';
            *VEC_PUSH(&s->attempts) = (struct attempt){
                event_str(ev, H_LOG_RECORD_ROLE), event_int(ev, H_LOG_RECORD_INDEX),
                event_int(ev, H_LOG_RECORD_INCARNATION), event_int(ev, H_LOG_RECORD_SEQ),
                txn ? event_int(ev, H_LOG_RECORD_TXN) : -1};
        }
    }
}

static bool same_process(const struct attempt *a, const char *role, int64_t index,
                         int64_t incarnation)
{
    return a->index == index && a->incarnation == incarnation && strcmp(a->role, role) == 0;
}

static bool of_attempt(const struct selection *s, const struct event *ev, int64_t seq,
                       int64_t count, int64_t txn)
{
    for (size_t i = 0; i < s->attempts.n; i++) {
        const struct attempt *a = &s->attempts.items[i];
        if (same_process(a, ev->who->role, ev->who->index, ev->who->incarnation) &&
            (count > 0 ? a->seq >= seq && a->seq < seq + count : txn >= 0 && a->txn == txn)) {
            return true;
        }
    }
    return false;
}

static bool is_exit_of_attempt(const struct selection *s, const struct event *ev)
{
    for (size_t i = 0; i < s->attempts.n; i++) {
        if (same_process(&s->attempts.items[i], event_str(ev, H_EXIT_ROLE),
                         event_int(ev, H_EXIT_INDEX), event_int(ev, H_EXIT_INCARNATION))) {
            return true;
        }
    }
    return false;
}

/* Whether the selected records are what this event is about. */
static bool about_records(const struct selection *s, const struct event *ev)
{
#define AT(k, first, last)                                                                         \
    has_record(s, event_str(ev, H_##k##_TOPIC), event_int(ev, H_##k##_PARTITION),                  \
               event_int(ev, H_##k##_##first), event_int(ev, H_##k##_##last))
    int64_t n = event_int(ev, H_SEND_COUNT), o = event_int(ev, H_SEND_SRC_OFFSET);
    switch (ev->kind) {
    case H_SEND:
        return of_attempt(s, ev, event_int(ev, H_SEND_SEQ), n, -1) ||
               has_record(s, event_str(ev, H_SEND_SRC_TOPIC), event_int(ev, H_SEND_SRC_PARTITION),
                          o, o + n - 1);
    case H_ACK:
        return of_attempt(s, ev, event_int(ev, H_ACK_SEQ), event_int(ev, H_ACK_COUNT), -1);
    case H_DELIVER:
        return AT(DELIVER, FIRST, LAST);
    case H_LOG_RECORD:
        return AT(LOG_RECORD, OFFSET, OFFSET);
    case H_DRAW:
        return AT(DRAW, OFFSET, OFFSET);
    case H_CRASH:
        return AT(CRASH, OFFSET, OFFSET) || of_attempt(s, ev, 0, 0, event_int(ev, H_CRASH_TXN));
    case H_TXN_BEGIN:
        return of_attempt(s, ev, 0, 0, event_int(ev, H_TXN_BEGIN_TXN));
    case H_TXN_OFFSETS:
        return of_attempt(s, ev, 0, 0, event_int(ev, H_TXN_OFFSETS_TXN));
    case H_TXN_COMMIT:
        return of_attempt(s, ev, 0, 0, event_int(ev, H_TXN_COMMIT_TXN));
    case H_TXN_ABORT:
        return of_attempt(s, ev, 0, 0, event_int(ev, H_TXN_ABORT_TXN));
    case H_EXIT:
        return is_exit_of_attempt(s, ev);
    default:
        return false;
    }
#undef AT
}

static bool has_partition(const struct selection *s, const char *topic, int64_t partition)
{
    for (size_t i = 0; i < s->records.n; i++) {
        if (s->records.items[i].partition == partition &&
            strcmp(s->records.items[i].topic, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* Changes of owner and of position while the records were on their way. */
static bool about_partitions(const struct selection *s, const struct event *ev)
{
    if (ev->t < s->first || ev->t > s->last) {
        return false;
    }
    switch (ev->kind) {
    case H_ASSIGN:
        return has_partition(s, event_str(ev, H_ASSIGN_TOPIC), event_int(ev, H_ASSIGN_PARTITION));
    case H_REVOKE:
        return has_partition(s, event_str(ev, H_REVOKE_TOPIC), event_int(ev, H_REVOKE_PARTITION));
    case H_SEEK:
        return has_partition(s, event_str(ev, H_SEEK_TOPIC), event_int(ev, H_SEEK_PARTITION));
    case H_COMMIT:
        return has_partition(s, event_str(ev, H_COMMIT_TOPIC), event_int(ev, H_COMMIT_PARTITION));
    default:
        return false;
    }
}

static void select_records(struct selection *s, const char *id)
{
    seed_records(s, id);
    follow_lineage(s);
    collect_attempts(s);
    s->first = UINT64_MAX;
    for (size_t i = 0; i < s->r->es->n; i++) {
        const struct event *ev = &s->r->es->items[i];
        if (ev->kind != H_LOG_RECORD && ev->kind != H_EXIT && about_records(s, ev)) {
            s->first = ev->t < s->first ? ev->t : s->first;
            s->last = ev->t > s->last ? ev->t : s->last;
        }
    }
}

/* "worker", "worker.2", "w2", "w2#4". */
static bool role_matches(const struct selection *s, const char *want, const char *role,
                         int64_t index, int64_t incarnation)
{
    char *full = xasprintf("%s.%lld", role, (long long)index);
    struct buf inst = {0}, life = {0};
    names_put(&inst, &s->names, role, index, 0);
    names_put(&life, &s->names, role, index, incarnation);
    bool is = strcmp(want, role) == 0 || strcmp(want, full) == 0 || strcmp(want, inst.data) == 0 ||
              strcmp(want, life.data) == 0;
    free(full);
    buf_free(&inst);
    buf_free(&life);
    return is;
}

static bool about_role(const struct selection *s, const struct event *ev, const char *want)
{
    if (role_matches(s, want, ev->who->role, ev->who->index, ev->who->incarnation)) {
        return true;
    }
    switch (ev->kind) {
    case H_SPAWN:
        return role_matches(s, want, event_str(ev, H_SPAWN_ROLE), event_int(ev, H_SPAWN_INDEX),
                            event_int(ev, H_SPAWN_INCARNATION));
    case H_EXIT:
        return role_matches(s, want, event_str(ev, H_EXIT_ROLE), event_int(ev, H_EXIT_INDEX),
                            event_int(ev, H_EXIT_INCARNATION));
    case H_SIGNAL:
        return role_matches(s, want, event_str(ev, H_SIGNAL_ROLE), event_int(ev, H_SIGNAL_INDEX),
                            event_int(ev, H_SIGNAL_INCARNATION));
    default:
        return false;
    }
}

/* "T", "T+-W", "T±Ws", all with an optional "t+" before and "s" behind. */
static int parse_around(const char *text, double *at, double *width, struct err *e)
{
    char *end;
    const char *p = strncmp(text, "t+", 2) == 0 ? text + 2 : text;
    *width = 2;
    *at = strtod(p, &end);
    bool ok = end != p;
    p = end + (*end == 's');
    if (ok && *p) {
        size_t sign = strncmp(p, "+-", 2) == 0            ? 2
                      : strncmp(p, "±", strlen("±")) == 0 ? strlen("±")
                                                          : 0;
        *width = strtod(p + sign, &end);
        ok = sign > 0 && end != p + sign;
        p = end + (*end == 's');
    }
    if (!ok || *p || !isfinite(*at) || !isfinite(*width) || *width < 0) {
        return err_set(e, ERR_USAGE, 0,
                       "--around %.40s: seconds since the faults began, as 41.2 "
                       "or 41.2+-2",
                       text);
    }
    return 0;
}

static bool within(uint64_t t, uint64_t t0, double at, double width)
{
    double s = ((double)t - (double)t0) / 1e9;
    return s >= at - width && s <= at + width;
}

static int show_lines(struct selection *s, const struct show_opts *o, FILE *out, struct err *e)
{
    double at = 0, width = 0;
    struct lines ls = {0};
    if (o->around && parse_around(o->around, &at, &width, e) < 0) {
        return -1;
    }
    if (o->id) {
        select_records(s, o->id);
    }
    for (size_t i = 0; i < s->r->es->n; i++) {
        const struct event *ev = &s->r->es->items[i];
        if ((!o->id || about_records(s, ev) || about_partitions(s, ev)) &&
            (!o->role || about_role(s, ev, o->role)) && lines_add(&ls, &s->names, ev) &&
            o->around && !within(ls.items[ls.n - 1].t, s->r->v->t0, at, width)) {
            lines_drop(&ls);
        }
    }
    if (ls.n == 0) {
        lines_free(&ls);
        return err_set(e, ERR_USAGE, 0, "nothing in the history matches%s%.60s%s%.40s%s%.40s",
                       o->id ? " --id " : "", o->id ? o->id : "", o->role ? " --role " : "",
                       o->role ? o->role : "", o->around ? " --around " : "",
                       o->around ? o->around : "");
    }
    struct buf b = {0};
    lines_sort(&ls);
    view_timeline(&b, ls.items, ls.n, s->r->v->t0);
    fwrite(b.data, 1, b.len, out);
    buf_free(&b);
    lines_free(&ls);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a, *y = *(const struct event *const *)b;
    return x->proc != y->proc ? (x->proc < y->proc ? -1 : 1)
           : x->seq != y->seq ? (x->seq < y->seq ? -1 : 1)
                              : 0;
}

/* The events in the order of their ids, so that they can be looked up. */
static const struct event **sort_by_id(const struct events *es)
{
    const struct event **ids = xcalloc(es->n + 1, sizeof(void *));
    for (size_t i = 0; i < es->n; i++) {
        ids[i] = &es->items[i];
    }
    qsort(ids, es->n, sizeof(void *), by_id);
    return ids;
}

static const struct event *find_event(const struct event *const *ids, size_t n,
                                      const struct event_ref *ref)
{
    const struct event want = {.proc = ref->proc, .seq = ref->seq}, *key = &want;
    const struct event *const *at = n ? bsearch(&key, ids, n, sizeof(void *), by_id) : NULL;
    return at ? *at : NULL;
}

/* A finding with all its cases, each with the events that it rests on. */
static int show_violation(struct selection *s, int number, FILE *out, struct err *e)
{
    const struct verdict *v = s->r->v;
    if (number < 1 || (size_t)number > v->nfindings) {
        return err_set(e, ERR_USAGE, 0, "--violation %d: the run has %zu findings", number,
                       v->nfindings);
    }
    const struct finding *f = &v->findings[number - 1];
    struct buf b = {0};
    const struct event **ids = s->r->es ? sort_by_id(s->r->es) : NULL;
    view_finding(&b, s->r, (size_t)number - 1, 1);
    for (size_t i = 0; i < f->ncases; i++) {
        const struct finding_case *c = &f->cases[i];
        struct lines ls = {0};
        struct buf head = {0};
        buf_printf(&head, "case %zu of %zu  %s%s  %s", i + 1, f->ncases, c->id[0] ? "id " : "",
                   c->id, c->text);
        buf_puts(&b, "\n  ");
        text_wrap(&b, head.data, 4, REPORT_COLUMNS);
        buf_puts(&b, "\n");
        for (size_t k = 0; ids && k < c->nevents; k++) {
            const struct event *ev = find_event(ids, s->r->es->n, &c->events[k]);
            if (ev) {
                lines_add(&ls, &s->names, ev);
            }
        }
        lines_sort(&ls);
        view_timeline(&b, ls.items, ls.n, v->t0);
        lines_free(&ls);
        buf_free(&head);
    }
    fwrite(b.data, 1, b.len, out);
    buf_free(&b);
    free(ids);
    return 0;
}

int show_write(const struct report *r, const struct show_opts *o, FILE *out, struct err *e)
{
    struct selection s = {.r = r};
    int rc;
    if (!o->id && !o->role && !o->around && o->violation == 0) {
        return terminal_write(r, 1, out, e);
    }
    names_init(&s.names, r->run, r->es);
    if (o->violation != 0) {
        rc = show_violation(&s, o->violation, out, e);
    } else if (!r->es) {
        rc = err_set(e, ERR_USAGE, 0, "the run has no history");
    } else {
        rc = show_lines(&s, o, out, e);
    }
    free(s.records.items);
    free(s.attempts.items);
    names_free(&s.names);
    return rc;
}
