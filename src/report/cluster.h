/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of many runs by what they have in common; private to src/report. */
#pragma once
#include "report/view.h"

/** Runs that failed, or were not judged, for the same reason. */
struct cluster {
    char *key;
    const char *mark;              /**< "✗", "?" or "!" */
    char *what;                    /**< the property, or the kind of error */
    char *text;                    /**< its signature, or the reason of the first run */
    const struct finding *finding; /**< of the first run, or NULL; borrowed */
    struct {
        size_t *items; /**< indexes of runs, each once, in order */
        size_t n, cap;
    } runs;
};
struct clusters {
    struct cluster *items;
    size_t n, cap;
};
/** Clusters in the order in which they appear. A finding's cluster is its property, its signature
 * (kind, crash point or fault, roles) and the rule that explains it: no ids, offsets or numbers.
 * Runs that ended as declared are in none, unless they are twins: their findings are what they are
 * for. */
void clusters_make(const struct report *items, size_t n, struct clusters *out);
void clusters_free(struct clusters *c);
/** The key of one finding. */
void cluster_key(struct buf *b, const struct finding *f);
/** A text whose numbers became '#'. */
void cluster_plain(struct buf *b, const char *text);
