/* SPDX-License-Identifier: Apache-2.0 */
/* Judges thresholds: a statistic of the samples of a metric against its limit. Percentiles are
 * exact, by nearest rank. Without a sample nothing was looked at, and that is INCONCLUSIVE. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/metrics.h"

enum { WORST = 5 };

static int by_value(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->value != y->value) {
        return x->value < y->value ? -1 : 1;
    }
    return x->key < y->key ? -1 : x->key > y->key;
}

static bool upper(const struct plan_threshold *t)
{
    return t->op == OP_BELOW || t->op == OP_AT_MOST;
}

static bool holds(const struct plan_threshold *t, double v)
{
    switch (t->op) {
    case OP_BELOW:
        return v < t->limit;
    case OP_AT_MOST:
        return v <= t->limit;
    case OP_ABOVE:
        return v > t->limit;
    case OP_AT_LEAST:
        return v >= t->limit;
    }
    return false;
}

/* Of sorted samples, at least one. */
static double statistic(const struct metric *x)
{
    const struct sample *s = x->samples.items;
    size_t n = x->samples.n;
    double sum = 0, rank = x->t->quantile / 100 * (double)n;
    switch (x->t->stat) {
    case STAT_MIN:
        return s[0].value;
    case STAT_MAX:
        return s[n - 1].value;
    case STAT_AVG:
        for (size_t i = 0; i < n; i++) {
            sum += s[i].value;
        }
        return x->t->metric == METRIC_RATE ? x->average : sum / (double)n;
    case STAT_QUANTILE:
        break;
    }
    size_t at = (size_t)rank;
    at += (double)at < rank; /* rounded up: the rank, from 1 */
    return s[at > 0 ? at - 1 : 0].value;
}

static const char *no_samples(const struct plan_threshold *t)
{
    switch (t->metric) {
    case METRIC_E2E:
        return "no samples: no input has an effect";
    case METRIC_SEND:
        return "no samples: nothing was acknowledged";
    case METRIC_RATE:
        return "no samples: no record, or less than a second";
    case METRIC_RECOVERY:
        return "no samples: no instance that owned a partition died and was followed by a commit";
    }
    return "no samples";
}

/* The worst samples that are beyond the limit themselves; a rate that is too low as a whole has
 * none, then the worst second stands for it. */
static void report(struct metric *x)
{
    struct judge *j = x->j;
    size_t n = x->samples.n;
    bool provable = j->complete && j->audited && (x->t->metric != METRIC_E2E || j->drained);
    for (size_t i = 0; i < n && i < WORST; i++) {
        const struct sample *s = &x->samples.items[upper(x->t) ? n - 1 - i : i];
        if (i > 0 && holds(x->t, s->value)) {
            break;
        }
        struct anomaly *a = anomaly_add(j, "threshold");
        a->proven = provable;
        metric_describe(x, s, a);
    }
}

static const char *detail(const struct metric *x)
{
    struct judge *j = x->j;
    const char *what = x->t->metric == METRIC_RATE ? "seconds" : "samples";
    const char *text = JTEXT(j, "%zu %s", x->samples.n, what);
    if (x->missing > 0 && x->t->metric == METRIC_E2E) {
        text = JTEXT(j, "%s, %lld inputs without effect", text, (long long)x->missing);
    } else if (x->missing > 0) {
        text = JTEXT(j, "%s, %lld partitions without a later commit", text, (long long)x->missing);
    }
    if (x->late_ns >= 1000000000u) {
        text =
            JTEXT(j, "%s, senders up to %.1fs behind their plan", text, (double)x->late_ns / 1e9);
    }
    return text;
}

static const struct threshold_result *result(struct metric *x, double value)
{
    const struct plan_threshold *t = x->t;
    struct judge *j = x->j;
    char text[32] = "";
    if (x->samples.n > 0) {
        metric_text(text, t, value);
    }
    struct threshold_result *r = pool_alloc(j->pool, sizeof *r);
    *r = (struct threshold_result){.label = pool_str(j->pool, t->label),
                                   .stat = pool_str(j->pool, t->stat_text),
                                   .op = plan_op_text(t->op),
                                   .unit = t->metric == METRIC_RATE ? "/s" : "ms",
                                   .value = value,
                                   .limit = t->limit,
                                   .samples = (int64_t)x->samples.n};
    r->text = JTEXT(j, "%s %s%s%s %s %s", r->label, r->stat, *text ? " " : "", text, r->op,
                    t->limit_text);
    return r;
}

/* Records that it cannot measure any more, as they left the log; NULL = none. */
static const char *removed_from(const struct judge *j, const struct plan_threshold *t)
{
    if (t->metric == METRIC_E2E) {
        return removed_of(j, &j->plan->expect.items[t->prop].preds.items[t->pred]);
    }
    return t->metric == METRIC_RATE ? removed_topic(j, t->topic) : NULL;
}

void threshold_judge(struct judge *j, const struct plan_threshold *t, struct prop_result *r)
{
    struct metric x;
    *r = (struct prop_result){.mode = "threshold",
                              .name = pool_str(j->pool, t->name),
                              .where = pool_str(j->pool, t->where),
                              .declared = true,
                              .limit_ms = -1,
                              .detail = "",
                              .reason = ""};
    j->check = "thresholds";
    if (metric_collect(&x, j, t) < 0) {
        j->failed = true;
        metric_free(&x);
        return;
    }
    size_t n = x.samples.n, first = j->anomalies.n;
    const char *removed = removed_from(j, t);
    if (n > 0) {
        qsort(x.samples.items, n, sizeof *x.samples.items, by_value);
    }
    double value = n > 0 ? statistic(&x) : 0;
    r->judged = (int64_t)n;
    r->detail = detail(&x);
    r->threshold = result(&x, value);
    if (n == 0) {
        r->state = PROP_INCONCLUSIVE;
        r->reason = no_samples(t);
        judge_reason(j, "threshold %s: %s", r->name, r->reason);
    } else if (!holds(t, value)) {
        r->state = PROP_VIOLATED;
        r->reason = removed ? removed : "";
        report(&x);
    } else if (removed) {
        r->state = PROP_INCONCLUSIVE;
        r->reason = removed;
        judge_reason(j, "threshold %s: %s", r->name, removed);
    } else {
        r->state = PROP_HELD;
    }
    for (size_t i = first; removed && i < j->anomalies.n; i++) {
        j->anomalies.items[i]->proven = false;
    }
    metric_free(&x);
}
