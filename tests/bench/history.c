/* SPDX-License-Identifier: Apache-2.0 */
/* What the history does for each record of the loops, by itself: the same calls with the same runs
 * of records, into real segment files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "history/hist.h"

/* Acknowledgements and fetched records come in batches of about this many. */
enum { AT_ONCE = 200 };

struct names {
    int64_t producer, consumer, group, topic, input;
};

static void delivered(struct hist *h, const struct names *s, long first)
{
    for (long i = first; i < first + AT_ONCE; i++) {
        hist_deliver(h, &(struct hist_deliver){.consumer = s->consumer,
                                               .group = s->group,
                                               .topic = s->input,
                                               .offset = i,
                                               .assignment = 1});
    }
}

static void sent(struct hist *h, const struct names *s, long first, bool copy)
{
    for (long i = first; i < first + AT_ONCE; i++) {
        hist_send(h, &(struct hist_send){.producer = s->producer,
                                         .topic = s->topic,
                                         .partition = -1,
                                         .seq = i,
                                         .txn = copy ? i / BENCH_BATCH : -1,
                                         .src_topic = copy ? s->input : 0,
                                         .src_offset = copy ? i : 0});
    }
    for (long i = first; i < first + AT_ONCE; i++) {
        hist_ack(
            h, HP_OK,
            &(struct hist_ack){.producer = s->producer, .topic = s->topic, .seq = i, .offset = i});
    }
}

static void remove_segments(const char *dir)
{
    char path[128];
    for (int n = 0;; n++) {
        snprintf(path, sizeof path, "%s/bench-1.1-%d.seg", dir, n);
        if (unlink(path) != 0) {
            break;
        }
    }
    rmdir(dir);
}

void history_alone(char **argv)
{
    const char *what = argv[0];
    long records = strtol(argv[1], NULL, 10);
    bool consume = strcmp(what, "produce") != 0, produce = strcmp(what, "consume") != 0;
    char dir[] = "/tmp/kaos-bench-history.XXXXXX";
    struct err e = {0};
    struct hist *h = mkdtemp(dir) ? hist_open(dir, &(struct hist_ident){"bench", 1, 1}, &e) : NULL;
    if (!h) {
        bench_die("a history in %s: %s", dir, e.msg);
    }
    struct names s = {hist_str(h, "producer-1"), hist_str(h, "consumer-1"), hist_str(h, "group"),
                      hist_str(h, "out"), hist_str(h, "feed")};
    struct bench_clock c;
    bench_start(&c);
    for (long i = 0; i < records; i += AT_ONCE) {
        if (consume) {
            delivered(h, &s, i);
        }
        if (produce) {
            sent(h, &s, i, consume);
        }
    }
    bench_print(&c, records);
    hist_close(h);
    remove_segments(dir);
}
