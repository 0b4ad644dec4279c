/* SPDX-License-Identifier: Apache-2.0 */
/* A suite: which scenarios run, how often, in which order, and what the whole of it comes to. */
#pragma once
#include "command/choose.h"
#include "command/item.h"
#include "command/ledger.h"
#include "command/params.h"
#include "command/reports.h"

struct suite_item {
    struct item it;
    size_t runs, judged, good, failed; /**< good: as declared; judged: PASS, FAIL, INCONCLUSIVE */
    size_t refused;                    /**< the cluster cannot do what it asks */
    int worst;                         /**< exit code of its runs together */
    bool started;                      /**< a run of it has begun */
    uint64_t wall_ns, begin_ns;
};
struct suite_file {
    char *path;
    struct load *load; /**< NULL or with errors: not runnable */
};
enum suite_lenience { LENIENT_FAIL, LENIENT_WARN, LENIENT_PASS };

struct suite {
    const struct cli *c;
    struct item_opts opts;
    struct reports reports;
    struct params_given params;
    struct choose_matrix matrix;
    struct choose_shard shard;
    struct plan_strings words, files_asked, names;
    struct {
        struct suite_file *items;
        size_t n, cap;
    } files;
    struct {
        struct suite_item *items;
        size_t n, cap;
    } items;
    struct ledger *last; /**< with --last-failed */
    enum suite_lenience inconclusive, no_match, refused;
    uint64_t seed;
    long long repeat, at_least, for_ms, max_fail, jobs; /**< -1 = not given; repeat 0 = no end */
    bool until_fail, sweep;
    bool many;           /**< more than one run: a line for each that ended as declared */
    size_t before_shard; /**< selected before the shard was taken */
    size_t at;           /**< item to look at next */
    long long round;     /**< from 0 */
    size_t failures;     /**< failing runs in all */
    int worst;
    int signum;
    uint64_t begin_ns;
};

/** The flags. @return 0, or an exit code after printing what is wrong. */
int suite_parse(struct suite *s, const struct cli *c);
/** Loads the files and selects; checks every value of every param before anything runs. As above.
 */
int suite_plan(struct suite *s);
/** Runs what is selected, prints, and @return the exit code. */
int suite_run(struct suite *s);
void suite_free(struct suite *s);

/** Which of two exit codes a suite ends with: 70 > 1 > 3 > 4 > 2 > 5 > 0. */
int suite_worse(int a, int b);
/** The seed of a repetition: the first is the seed itself. */
uint64_t suite_seed(uint64_t seed, long long number);
