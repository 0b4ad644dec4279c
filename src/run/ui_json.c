/* SPDX-License-Identifier: Apache-2.0 */
/* A status as one JSON object: the lines of `kaos run --ui json`. */
#include "run/ui.h"

static json_t *procs_json(const struct status *s)
{
    json_t *all = json_array();
    for (size_t i = 0; i < s->nprocs; i++) {
        const struct status_proc *q = &s->procs[i];
        json_t *j = json_pack("{s:s,s:i,s:i,s:i,s:s,s:i,s:b}", "role", q->role, "index", q->index,
                              "incarnation", q->incarnation, "pid", q->pid, "state", q->state,
                              "deaths", (int)q->deaths, "in_transaction", (int)q->in_txn);
        if (q->topic) {
            json_object_set_new(j, "record",
                                json_pack("{s:s,s:i,s:I}", "topic", q->topic, "partition",
                                          q->partition, "offset", (json_int_t)q->offset));
        }
        json_array_append_new(all, j);
    }
    return all;
}

static json_t *props_json(const struct status *s)
{
    static const char *const marks[] = {"open", "good", "bad"};
    json_t *all = json_array();
    for (size_t i = 0; i < s->nprops; i++) {
        const struct status_prop *q = &s->props[i];
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s}", "mode", q->mode, "name", q->name,
                                             "preview", q->preview, "mark", marks[q->mark]));
    }
    return all;
}

static json_t *faults_json(const struct status *s)
{
    json_t *all = json_array();
    for (size_t i = 0; i < s->nfaults; i++) {
        const struct status_fault *f = &s->faults[i];
        json_array_append_new(all, json_pack("{s:s,s:s,s:I}", "kind", f->kind, "target", f->target,
                                             "fired", (json_int_t)f->fired));
    }
    return all;
}

json_t *ui_json_status(const struct status *s)
{
    json_t *count = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "sent", (json_int_t)s->sent, "acked",
        (json_int_t)s->acked, "failed", (json_int_t)s->failed, "unknown", (json_int_t)s->unknown,
        "delivered", (json_int_t)s->delivered, "commits", (json_int_t)s->commits, "aborts",
        (json_int_t)s->aborts, "crashes", (json_int_t)s->crashes, "deaths", (json_int_t)s->deaths);
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:b,s:o,s:o,s:o,s:o}", "v", 1, "type", "status",
                     "run", s->run, "scenario", s->name, "phase", s->phase, "elapsed_ms",
                     (json_int_t)s->elapsed_ms, "faults_on", (int)s->faults_on, "count", count,
                     "processes", procs_json(s), "properties", props_json(s), "faults",
                     faults_json(s));
}
