/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.json back into a verdict: how a suite learns what its child processes found. The file
 * comes from outside: every member may be missing or of another type, and is then as if empty; what
 * is needed to name the verdict must be there. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/pool.h"
#include "report/report.h"

struct reader {
    struct pool *pool;
};

static const char *get_text(struct reader *rd, const json_t *j, const char *key)
{
    return pool_str(rd->pool, json_string_value(json_object_get(j, key)));
}

/* Bytes that were no UTF-8 stand as base64: shown as such. */
static const char *get_bytes(struct reader *rd, const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);
    return json_is_object(v) ? get_text(rd, v, "base64") : get_text(rd, j, key);
}

static int64_t get_int(const json_t *j, const char *key, int64_t preset)
{
    const json_t *v = json_object_get(j, key);
    return json_is_integer(v) ? json_integer_value(v) : preset;
}

static bool get_flag(const json_t *j, const char *key)
{
    return json_is_true(json_object_get(j, key));
}

/* The place of a word among n names; -1 if it is none of them. */
static int word_of(const json_t *j, const char *key, const char *(*name)(int), int n)
{
    const char *word = json_string_value(json_object_get(j, key));
    for (int i = 0; word && i < n; i++) {
        if (strcmp(name(i), word) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *code_word(int i)
{
    static const char *const words[] = {"pass", "fail", "inconclusive", "scenario_error",
                                        "environment"};
    return words[i];
}

static const char *class_word(int i)
{
    return finding_class_name((enum finding_class)i);
}

static const char *blame_word(int i)
{
    return finding_blame_name((enum finding_blame)i);
}

static const char *state_word(int i)
{
    return prop_state_name((enum prop_state)i);
}

static struct record_ref read_record(struct reader *rd, const json_t *j)
{
    return (struct record_ref){get_bytes(rd, j, "topic"), (int32_t)get_int(j, "partition", 0),
                               get_int(j, "offset", -1)};
}

static struct event_ref read_event(const json_t *j)
{
    struct event_ref ev = {0, 0};
    const char *text = json_string_value(j);
    char *end = NULL;
    if (text) {
        ev.proc = (uint32_t)strtoul(text, &end, 10);
        ev.seq = *end == ':' ? (uint32_t)strtoul(end + 1, NULL, 10) : 0;
    }
    return ev;
}

/* An array of the member `key`, *n elements of size bytes; NULL behind nothing. */
static void *array_for(struct reader *rd, const json_t *j, const char *key, size_t size, size_t *n)
{
    *n = json_array_size(json_object_get(j, key));
    return pool_alloc(rd->pool, (*n + 1) * size);
}

static const json_t *at(const json_t *j, const char *key, size_t i)
{
    return json_array_get(json_object_get(j, key), i);
}

static struct finding_case read_case(struct reader *rd, const json_t *j)
{
    struct finding_case c = {.id = get_bytes(rd, j, "id"),
                             .text = get_bytes(rd, j, "text"),
                             .t = (uint64_t)get_int(j, "t", 0)};
    struct record_ref *records = array_for(rd, j, "records", sizeof *records, &c.nrecords);
    struct event_ref *events = array_for(rd, j, "events", sizeof *events, &c.nevents);
    for (size_t i = 0; i < c.nrecords; i++) {
        records[i] = read_record(rd, at(j, "records", i));
    }
    for (size_t i = 0; i < c.nevents; i++) {
        events[i] = read_event(at(j, "events", i));
    }
    c.records = records;
    c.events = events;
    return c;
}

static void read_lineage(struct reader *rd, const json_t *j, struct finding *f)
{
    struct lineage_edge *edges = array_for(rd, j, "lineage", sizeof *edges, &f->nlineage);
    for (size_t i = 0; i < f->nlineage; i++) {
        const json_t *l = at(j, "lineage", i);
        edges[i] = (struct lineage_edge){.from = read_record(rd, json_object_get(l, "from")),
                                         .to = read_record(rd, json_object_get(l, "to")),
                                         .who = get_bytes(rd, l, "who"),
                                         .outcome = get_bytes(rd, l, "outcome"),
                                         .note = get_bytes(rd, l, "note"),
                                         .t = (uint64_t)get_int(l, "t", 0)};
    }
    f->lineage = edges;
}

static void read_timeline(struct reader *rd, const json_t *j, struct finding *f)
{
    struct timeline_line *lines = array_for(rd, j, "timeline", sizeof *lines, &f->ntimeline);
    for (size_t i = 0; i < f->ntimeline; i++) {
        const json_t *l = at(j, "timeline", i);
        lines[i] = (struct timeline_line){.t = (uint64_t)get_int(l, "t", 0),
                                          .event = read_event(json_object_get(l, "event")),
                                          .who = get_bytes(rd, l, "who"),
                                          .what = get_bytes(rd, l, "what"),
                                          .text = get_bytes(rd, l, "text"),
                                          .note = get_bytes(rd, l, "note"),
                                          .death = get_flag(l, "death")};
    }
    f->timeline = lines;
}

/* @return false when it is no finding: a kind that does not exist, or no case. */
static bool read_finding(struct reader *rd, const json_t *j, size_t n, struct finding *f)
{
    const struct finding_kind *kind = finding_kind_find(get_text(rd, j, "kind"));
    const json_t *blame = json_object_get(j, "blame");
    int class = word_of(j, "class", class_word, CLASS_THRESHOLD + 1),
        party = word_of(blame, "party", blame_word, BLAME_UNDETERMINED + 1);
    int64_t primary = get_int(j, "primary", -1);
    struct finding_case *cases = array_for(rd, j, "cases", sizeof *cases, &f->ncases);
    if (!kind || f->ncases == 0 || primary < -1 || primary >= (int64_t)n) {
        return false;
    }
    for (size_t i = 0; i < f->ncases; i++) {
        cases[i] = read_case(rd, at(j, "cases", i));
    }
    f->kind = kind->name;
    f->check = get_text(rd, j, "check");
    f->property = get_bytes(rd, j, "property");
    f->where = get_bytes(rd, j, "where");
    f->class = class < 0 ? kind->class : (enum finding_class) class;
    f->blame = party < 0 ? BLAME_UNDETERMINED : (enum finding_blame)party;
    f->blame_row = (int)get_int(blame, "rule", 0);
    f->blame_text = get_bytes(rd, blame, "text");
    f->title = get_bytes(rd, j, "title");
    f->cause = get_bytes(rd, j, "cause");
    f->hint = get_bytes(rd, j, "hint");
    f->call_site = get_bytes(rd, j, "call_site");
    f->signature = get_bytes(rd, j, "signature");
    f->judged = (size_t)get_int(j, "judged", 0);
    f->cases = cases;
    f->primary = (int)primary;
    f->consequences = (size_t)get_int(j, "consequences", 0);
    f->proven = get_flag(j, "proven");
    f->warning = get_flag(j, "warning");
    read_lineage(rd, j, f);
    read_timeline(rd, j, f);
    return true;
}

static bool read_prop(struct reader *rd, const json_t *j, size_t nfindings, struct prop_result *p)
{
    int state = word_of(j, "state", state_word, PROP_INCONCLUSIVE + 1);
    size_t *findings = array_for(rd, j, "findings", sizeof *findings, &p->nfindings);
    for (size_t i = 0; i < p->nfindings; i++) {
        findings[i] = (size_t)json_integer_value(at(j, "findings", i));
        if (findings[i] >= nfindings) {
            return false;
        }
    }
    p->mode = get_text(rd, j, "mode");
    p->name = get_bytes(rd, j, "name");
    p->where = get_bytes(rd, j, "where");
    p->state = (enum prop_state)(state < 0 ? PROP_INCONCLUSIVE : state);
    p->declared = get_flag(j, "declared");
    p->judged = get_int(j, "judged", 0);
    p->times = get_int(j, "times", 0);
    p->first_t = (uint64_t)get_int(j, "first_t", 0);
    p->has_margin = json_object_get(j, "last_ms") != NULL;
    p->last_ms = get_int(j, "last_ms", 0);
    p->limit_ms = get_int(j, "limit_ms", -1);
    p->detail = get_bytes(rd, j, "detail");
    p->reason = get_bytes(rd, j, "reason");
    p->findings = findings;
    return state >= 0;
}

static void read_fault(struct reader *rd, const json_t *j, struct fault_count *f)
{
    *f = (struct fault_count){.fault = (int)get_int(j, "fault", 0),
                              .kind = get_text(rd, j, "kind"),
                              .where = get_bytes(rd, j, "where"),
                              .target = get_bytes(rd, j, "target"),
                              .fired = get_int(j, "fired", 0)};
}

static void read_facts(const json_t *j, struct verdict_facts *f)
{
#define FACT(name) f->name = get_int(j, #name, 0)
    FACT(ids);
    FACT(exactly_once);
    FACT(crashes);
    FACT(deaths);
    FACT(deaths_unexpected);
    FACT(fenced);
    FACT(kills);
    FACT(exits);
    FACT(rebalances);
    FACT(pauses);
    FACT(broker_faults);
    FACT(txns_committed);
    FACT(txns_aborted);
    FACT(txns_open);
    FACT(aborted_records);
    FACT(aborted_hidden);
    FACT(draws);
    FACT(draws_hit);
    FACT(redelivered);
    FACT(moved_in_txn);
    FACT(sends);
    FACT(acked);
    FACT(failed);
    FACT(unknown);
    FACT(log_records);
#undef FACT
    /* only their number is kept: as many bits, whichever they were */
    int64_t points = get_int(j, "crash_points", 0);
    f->crash_points = points > 0 && points < 32 ? (1u << points) - 1 : 0;
}

static int read_parts(struct reader *rd, const json_t *j, struct verdict *v, struct err *e)
{
    v->reasons = array_for(rd, j, "reasons", sizeof *v->reasons, &v->nreasons);
    v->props = array_for(rd, j, "properties", sizeof *v->props, &v->nprops);
    v->findings = array_for(rd, j, "findings", sizeof *v->findings, &v->nfindings);
    v->faults = array_for(rd, j, "faults", sizeof *v->faults, &v->nfaults);
    for (size_t i = 0; i < v->nreasons; i++) {
        const json_t *reason = at(j, "reasons", i);
        v->reasons[i] = json_is_object(reason) ? get_text(rd, reason, "base64")
                                               : pool_str(rd->pool, json_string_value(reason));
    }
    for (size_t i = 0; i < v->nfindings; i++) {
        if (!read_finding(rd, at(j, "findings", i), v->nfindings, &v->findings[i])) {
            return err_set(e, ERR_PROTOCOL, 0, "finding %zu of the verdict is not readable", i);
        }
    }
    for (size_t i = 0; i < v->nprops; i++) {
        if (!read_prop(rd, at(j, "properties", i), v->nfindings, &v->props[i])) {
            return err_set(e, ERR_PROTOCOL, 0, "property %zu of the verdict is not readable", i);
        }
    }
    for (size_t i = 0; i < v->nfaults; i++) {
        read_fault(rd, at(j, "faults", i), &v->faults[i]);
    }
    read_facts(json_object_get(j, "facts"), &v->facts);
    return 0;
}

struct verdict *verdict_read(const json_t *j, struct err *e)
{
    int code = word_of(j, "verdict", code_word, VERDICT_ENVIRONMENT + 1);
    if (code < 0 || get_int(j, "format", 0) != 1 ||
        !json_is_integer(json_object_get(j, "exit_code"))) {
        err_set(e, ERR_PROTOCOL, 0, "no verdict of format 1");
        return NULL;
    }
    struct verdict *v = xcalloc(1, sizeof *v);
    struct reader rd = {pool_new()};
    v->pool = rd.pool;
    v->code = (enum verdict_code)code;
    v->exit_code = (int)get_int(j, "exit_code", 0);
    v->expected = get_flag(j, "expected");
    v->twin = get_flag(j, "twin");
    v->scenario = get_bytes(&rd, j, "scenario");
    v->reason = get_bytes(&rd, j, "reason");
    v->complete = get_flag(j, "complete");
    v->drained = get_flag(j, "drained");
    v->t0 = (uint64_t)get_int(j, "t0", 0);
    v->t_off = (uint64_t)get_int(j, "t_off", 0);
    v->t_end = (uint64_t)get_int(j, "t_end", 0);
    if (read_parts(&rd, j, v, e) < 0) {
        verdict_free(v);
        return NULL;
    }
    return v;
}
