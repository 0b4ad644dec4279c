/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the history of a run for the figures of the kaos side. A role marks the ends of what is
 * measured with a line of its log, `mark NAME RECORDS CPU`: the history has its time, the role
 * itself knows the CPU time of its process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bench.h"
#include "history/events.h"

static struct events *read_run(const char *run)
{
    struct err e = {0};
    char *dir = xasprintf("%s/history", run);
    struct events *es = events_open(dir, &e);
    if (!es) {
        bench_die("%s: %s", dir, e.msg);
    }
    free(dir);
    return es;
}

struct mark {
    char name[16];
    long records;
    double cpu;
    uint64_t t;
};

static bool read_mark(const struct event *ev, struct mark *m)
{
    char line[128];
    size_t len;
    if (ev->kind != H_LOG) {
        return false;
    }
    const char *text = event_bytes(ev, H_LOG_TEXT, &len);
    if (!text || len >= sizeof line) {
        return false;
    }
    memcpy(line, text, len);
    line[len] = '\0';
    m->t = ev->t;
    return sscanf(line, "mark %15s %ld %lf", m->name, &m->records, &m->cpu) == 3;
}

void marks_span(char **argv)
{
    struct events *es = read_run(argv[0]);
    struct mark m, begin = {.t = 0};
    for (size_t i = 0; i < es->n; i++) {
        if (!read_mark(&es->items[i], &m)) {
            continue;
        }
        if (strcmp(m.name, "begin") == 0) {
            begin = m;
        } else if (strcmp(m.name, "end") == 0 && begin.t) {
            printf("%ld %.6f %.6f\n", m.records - begin.records, (double)(m.t - begin.t) / 1e9,
                   m.cpu - begin.cpu);
            events_free(es);
            return;
        }
    }
    bench_die("%s: the role left no two marks", argv[0]);
}

/* ---- starts ---- */

static uint64_t first_line(const struct events *es, const struct event *spawn)
{
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == H_LOG && ev->who->index == (int)event_int(spawn, H_SPAWN_INDEX) &&
            ev->who->incarnation == (int)event_int(spawn, H_SPAWN_INCARNATION) &&
            strcmp(ev->who->role, event_str(spawn, H_SPAWN_ROLE)) == 0) {
            return ev->t;
        }
    }
    return 0;
}

void marks_starts(char **argv)
{
    struct events *es = read_run(argv[0]);
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        uint64_t t = ev->kind == H_SPAWN ? first_line(es, ev) : 0;
        if (t) {
            printf("%.3f\n", (double)(t - ev->t) / 1e6);
        }
    }
    events_free(es);
}

/* ---- the idle group ---- */

void marks_group(char **argv)
{
    struct events *es = read_run(argv[0]);
    long members = strtol(argv[1], NULL, 10), last = 0;
    int64_t *generation = xcalloc((size_t)members + 1, sizeof *generation);
    uint64_t changed = 0, end = 0;
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == H_ASSIGN && ev->who->index >= 1 && ev->who->index <= members) {
            generation[ev->who->index] = event_int(ev, H_ASSIGN_GENERATION);
            changed = ev->t;
        } else if (ev->kind == H_PHASE && strcmp(event_str(ev, H_PHASE_NAME), "drain") == 0) {
            end = ev->t;
        }
        if (end) {
            break;
        }
    }
    for (long i = 1; i <= members; i++) {
        last += generation[i] > 0 && generation[i] == generation[1];
    }
    if (!end || !changed) {
        bench_die("%s: no group, or no end", argv[0]);
    }
    printf("%ld %lld %.1f\n", last, (long long)generation[1], (double)(end - changed) / 1e9);
    free(generation);
    events_free(es);
}
