/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict as JSON: everything that struct verdict holds, for programs. The schema is
 * docs/verdict-format.md; members are only ever added. */
#include <string.h>

#include "report/view.h"

enum { VERDICT_FORMAT = 1 };

/* Text from outside may be no UTF-8: base64 then. */
static json_t *text(const char *s)
{
    return json_bytes(s, strlen(s));
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *time_or_null(uint64_t t)
{
    return t ? number(t) : json_null();
}

static json_t *record_json(const struct record_ref *r)
{
    if (!r->topic[0]) {
        return json_null();
    }
    return json_pack("{s:o, s:i, s:o}", "topic", text(r->topic), "partition", (int)r->partition,
                     "offset", r->offset < 0 ? json_null() : json_integer(r->offset));
}

static json_t *event_ref_json(const struct event_ref *ev)
{
    char id[32];
    snprintf(id, sizeof id, "%u:%u", ev->proc, ev->seq);
    return json_string(id);
}

static json_t *case_json(const struct finding_case *c)
{
    json_t *records = json_array(), *events = json_array();
    for (size_t i = 0; i < c->nrecords; i++) {
        json_array_append_new(records, record_json(&c->records[i]));
    }
    for (size_t i = 0; i < c->nevents; i++) {
        json_array_append_new(events, event_ref_json(&c->events[i]));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", text(c->id), "text", text(c->text), "t",
                     time_or_null(c->t), "records", records, "events", events);
}

static json_t *lineage_json(const struct finding *f)
{
    json_t *a = json_array();
    for (size_t i = 0; i < f->nlineage; i++) {
        const struct lineage_edge *l = &f->lineage[i];
        json_array_append_new(a, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "from",
                                           record_json(&l->from), "to", record_json(&l->to), "who",
                                           text(l->who), "outcome", text(l->outcome), "note",
                                           text(l->note), "t", time_or_null(l->t)));
    }
    return a;
}

static json_t *timeline_json(const struct finding *f)
{
    json_t *a = json_array();
    for (size_t i = 0; i < f->ntimeline; i++) {
        const struct timeline_line *l = &f->timeline[i];
        json_array_append_new(
            a, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "t", time_or_null(l->t), "event",
                         l->event.seq ? event_ref_json(&l->event) : json_null(), "who",
                         text(l->who), "what", text(l->what), "text", text(l->text), "note",
                         text(l->note), "death", (int)l->death));
    }
    return a;
}

static json_t *finding_json(const struct finding *f)
{
    json_t *cases = json_array();
    for (size_t i = 0; i < f->ncases; i++) {
        json_array_append_new(cases, case_json(&f->cases[i]));
    }
    json_t *j =
        json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", f->kind,
                  "check", f->check, "property", text(f->property), "where", text(f->where),
                  "class", finding_class_name(f->class), "title", text(f->title), "cause",
                  text(f->cause), "hint", text(f->hint), "call_site", text(f->call_site),
                  "signature", text(f->signature), "judged", number(f->judged));
    json_object_set_new(j, "blame",
                        json_pack("{s:s, s:i, s:o}", "party", finding_blame_name(f->blame), "rule",
                                  f->blame_row, "text", text(f->blame_text)));
    json_object_set_new(j, "primary", f->primary < 0 ? json_null() : json_integer(f->primary));
    json_object_set_new(j, "consequences", number(f->consequences));
    json_object_set_new(j, "proven", json_boolean(f->proven));
    json_object_set_new(j, "warning", json_boolean(f->warning));
    json_object_set_new(j, "cases", cases);
    json_object_set_new(j, "lineage", lineage_json(f));
    json_object_set_new(j, "timeline", timeline_json(f));
    return j;
}

static json_t *threshold_json(const struct threshold_result *t)
{
    json_t *value = t->samples ? json_real(t->value) : json_null();
    return json_pack("{s:o, s:o, s:s, s:f, s:o, s:s, s:I, s:o}", "metric", text(t->label), "stat",
                     text(t->stat), "op", t->op, "limit", t->limit, "value", value, "unit", t->unit,
                     "samples", (json_int_t)t->samples, "text", text(t->text));
}

static json_t *prop_json(const struct prop_result *p)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < p->nfindings; i++) {
        json_array_append_new(findings, number(p->findings[i]));
    }
    json_t *j = json_pack("{s:s, s:o, s:o, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o}", "mode",
                          p->mode, "name", text(p->name), "where", text(p->where), "state",
                          prop_state_name(p->state), "declared", (int)p->declared, "judged",
                          (json_int_t)p->judged, "times", (json_int_t)p->times, "first_t",
                          time_or_null(p->first_t), "detail", text(p->detail), "reason",
                          text(p->reason), "findings", findings);
    if (p->threshold) {
        json_object_set_new(j, "threshold", threshold_json(p->threshold));
    }
    if (p->has_margin) {
        json_object_set_new(j, "last_ms", json_integer(p->last_ms));
        json_object_set_new(j, "limit_ms",
                            p->limit_ms < 0 ? json_null() : json_integer(p->limit_ms));
    }
    return j;
}

static json_t *facts_json(const struct verdict_facts *f)
{
#define FACT(name)                                                                                 \
    {                                                                                              \
#name, f->name                                                                             \
    }
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        FACT(ids),
        FACT(exactly_once),
        FACT(crashes),
        {"crash_points", __builtin_popcount(f->crash_points)},
        FACT(deaths),
        FACT(deaths_unexpected),
        FACT(fenced),
        FACT(kills),
        FACT(exits),
        FACT(rebalances),
        FACT(pauses),
        FACT(broker_faults),
        FACT(txns_committed),
        FACT(txns_aborted),
        FACT(txns_open),
        FACT(aborted_records),
        FACT(aborted_hidden),
        FACT(draws),
        FACT(draws_hit),
        FACT(redelivered),
        FACT(moved_in_txn),
        FACT(sends),
        FACT(acked),
        FACT(failed),
        FACT(unknown),
        FACT(log_records),
    };
#undef FACT
    json_t *j = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_object_set_new(j, rows[i].name, json_integer(rows[i].value));
    }
    return j;
}

static json_t *history_json(const struct events *es)
{
    json_t *procs = json_array();
    for (size_t i = 0; i < es->nprocs; i++) {
        const struct hist_proc *p = &es->procs[i];
        json_array_append_new(
            procs, json_pack("{s:i, s:o, s:i, s:i, s:i, s:b, s:b, s:o}", "process", (int)i, "role",
                             text(p->role), "index", p->index, "incarnation", p->incarnation, "pid",
                             p->pid, "torn", (int)p->torn, "closed", (int)p->closed, "damage",
                             p->damage ? text(p->damage) : json_null()));
    }
    return json_pack("{s:I, s:b, s:o}", "events", (json_int_t)es->n, "damaged", (int)es->damaged,
                     "processes", procs);
}

static json_t *faults_json(const struct verdict *v)
{
    json_t *a = json_array();
    for (size_t i = 0; i < v->nfaults; i++) {
        const struct fault_count *f = &v->faults[i];
        json_array_append_new(a, json_pack("{s:i, s:s, s:o, s:o, s:I}", "fault", f->fault, "kind",
                                           f->kind, "where", text(f->where), "target",
                                           text(f->target), "fired", (json_int_t)f->fired));
    }
    return a;
}

static json_t *verdict_word(const struct verdict *v)
{
    static const char *const words[] = {"pass", "fail", "inconclusive", "scenario_error",
                                        "environment"};
    return json_string(words[v->code]);
}

json_t *json_report_verdict(const struct report *r)
{
    const struct verdict *v = r->v;
    if (r->json) {
        return json_incref((json_t *)(uintptr_t)r->json);
    }
    json_t *j = json_object(), *list = json_array();
    json_object_set_new(j, "format", json_integer(VERDICT_FORMAT));
    json_object_set_new(j, "verdict", verdict_word(v));
    json_object_set_new(j, "exit_code", json_integer(v->exit_code));
    json_object_set_new(j, "twin", json_boolean(v->twin));
    json_object_set_new(j, "expected", json_boolean(v->expected));
    json_object_set_new(j, "scenario", text(v->scenario));
    static const char *const keys[] = {"file",    "where", "run",        "seed", "params",
                                       "cluster", "kaos",  "started_ms", "label"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(r->run, keys[i]);
        if (value) {
            json_object_set(j, keys[i], value);
        }
    }
    if (report_duration_ms(r) >= 0) {
        json_object_set_new(j, "duration_ms", json_integer(report_duration_ms(r)));
    }
    json_object_set_new(j, "reason", text(v->reason));
    for (size_t i = 0; i < v->nreasons; i++) {
        json_array_append_new(list, text(v->reasons[i]));
    }
    json_object_set_new(j, "reasons", list);
    json_object_set_new(j, "complete", json_boolean(v->complete));
    json_object_set_new(j, "drained", json_boolean(v->drained));
    json_object_set_new(j, "t0", time_or_null(v->t0));
    json_object_set_new(j, "t_off", time_or_null(v->t_off));
    json_object_set_new(j, "t_end", time_or_null(v->t_end));
    list = json_array();
    for (size_t i = 0; i < v->nprops; i++) {
        json_array_append_new(list, prop_json(&v->props[i]));
    }
    json_object_set_new(j, "properties", list);
    json_object_set_new(j, "faults", faults_json(v));
    json_object_set_new(j, "facts", facts_json(&v->facts));
    list = json_array();
    for (size_t i = 0; i < v->nfindings; i++) {
        json_array_append_new(list, finding_json(&v->findings[i]));
    }
    json_object_set_new(j, "findings", list);
    if (r->es) {
        json_object_set_new(j, "history", history_json(r->es));
    }
    return j;
}

int json_report_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(runs, json_report_verdict(&items[i]));
    }
    json_t *j = json_pack("{s:i, s:o}", "format", VERDICT_FORMAT, "runs", runs);
    int rc = json_dumpf(j, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(j);
    if (rc < 0 || putc('\n', out) == EOF || fflush(out) != 0) {
        return err_sys(e, "writing the JSON report");
    }
    return 0;
}

static int put_line(json_t *j, FILE *out)
{
    int rc = json_dumpf(j, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(j);
    return rc < 0 || putc('\n', out) == EOF ? -1 : 0;
}

int jsonl_write(const struct report *items, size_t n, FILE *out, struct err *e)
{
    size_t pass = 0;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        pass += view_code(&items[i]) == VERDICT_PASS;
        rc = put_line(json_pack("{s:i, s:s, s:o}", "format", VERDICT_FORMAT, "event", "run",
                                "verdict", json_report_verdict(&items[i])),
                      out);
    }
    if (rc == 0) {
        rc = put_line(json_pack("{s:i, s:s, s:I, s:I}", "format", VERDICT_FORMAT, "event", "end",
                                "runs", (json_int_t)n, "pass", (json_int_t)pass),
                      out);
    }
    return rc < 0 || fflush(out) != 0 ? err_sys(e, "writing the JSON lines") : 0;
}
