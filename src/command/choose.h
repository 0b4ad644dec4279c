/* SPDX-License-Identifier: Apache-2.0 */
/* What of a suite runs: tags, shards, and the cross product of --matrix. Pure. */
#pragma once
#include "base/err.h"
#include "plan/plan.h"

/** One --tags word list ("a,b,~c"): at least one of a and b, and not c. @return -1 with ERR_USAGE
 *  for an empty tag. */
int choose_tags_check(const char *spec, struct err *e);
bool choose_tags(const char *spec, const struct plan_strings *tags);

struct choose_shard {
    unsigned long long index, count; /**< from 1; count 0 = everything */
};
/** "2/5". */
int choose_shard_parse(const char *text, struct choose_shard *s, struct err *e);
/** By a hash of the name, so that a scenario stays where it is when others come and go. */
bool choose_shard(const struct choose_shard *s, const char *id);

/** One dimension of the matrix. */
struct choose_axis {
    char *name;
    struct plan_strings values;
};
struct choose_matrix {
    struct choose_axis *items;
    size_t n, cap;
};
/** Adds "NAME=a,b,c". @return -1 with ERR_USAGE: not of that form, a name or a value twice, or more
 *  points in all than CHOOSE_POINTS_MAX. */
int choose_matrix_add(struct choose_matrix *m, const char *spec, struct err *e);
enum { CHOOSE_POINTS_MAX = 10000 };
/** How many points there are; 1 without dimensions. */
size_t choose_matrix_points(const struct choose_matrix *m);
/** Sets the values of a point; the last dimension varies fastest. */
void choose_matrix_params(const struct choose_matrix *m, size_t point, struct plan_conf *out);
/** "eos[workers=3,strategy=range]", or the name alone. Caller frees. */
char *choose_matrix_id(const struct choose_matrix *m, size_t point, const char *name);
void choose_matrix_free(struct choose_matrix *m);
