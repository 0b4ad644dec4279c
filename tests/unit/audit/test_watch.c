/* SPDX-License-Identifier: Apache-2.0 */
/* What the watch writes about transactions that stay open when it is stopped: a hanging one needs
 * proof. The broker is a fake: a healthy one has none. */
#include "test.h"

#include <unistd.h>

#include "audit/watch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fake.h"
#include "history/events.h"

static void ignore(void *arg)
{
    (void)arg;
}

/** Watches the fake until it knows the partition, stops and reads back; f is stopped. */
static struct events *watch(struct fake *f)
{
    struct err e = {0};
    struct plan *p = plan_new();
    struct loop *l = loop_new();
    *VEC_PUSH(&p->topics) = (struct plan_topic){.name = xstrdup("t"), .partitions = 1};
    fake_start(f);
    struct watch *w = watch_start(&(struct watch_opts){.loop = l,
                                                       .bootstrap = f->bootstrap,
                                                       .plan = p,
                                                       .history = test_dir(),
                                                       .on_drained = ignore},
                                  &e);
    CHECK(w);
    watch_cut(w);
    watch_drain(w);
    uint64_t until = clock_mono_ns() + 5000000000u;
    bool seen = false;
    while (!seen) {
        char *why = watch_why(w);
        seen = strstr(why, "last stable offset") != NULL;
        free(why);
        CHECK(clock_mono_ns() < until);
        usleep(10000);
    }
    watch_stop(w);
    fake_stop(f);
    loop_free(l);
    plan_free(p);
    struct events *es = events_open(test_dir(), &e);
    CHECK(es);
    return es;
}

/** PROVEN of the only OPEN_TXN, -1 = none. */
static int64_t proven(struct fake *f)
{
    struct events *es = watch(f);
    int64_t found = -1;
    for (size_t i = 0; i < es->n; i++) {
        const struct event *ev = &es->items[i];
        if (ev->kind == H_OPEN_TXN) {
            CHECK_INT(found, -1);
            found = event_int(ev, H_OPEN_TXN_PROVEN);
            CHECK_INT(event_int(ev, H_OPEN_TXN_START_OFFSET), 0);
            CHECK_INT(event_int(ev, H_OPEN_TXN_PID), 5);
        }
    }
    events_free(es);
    return found;
}

static void held(struct fake *f)
{
    fake_init(f);
    fake_data(f, 5, 3, true, 2);
    f->lso = 0;
    f->open_pid = 5;
    f->open_epoch = 3;
    f->open_start = 0;
}

TEST(a_transaction_that_its_coordinator_has_ended_hangs)
{
    struct fake f;
    held(&f);
    f.txns[0] = (struct fake_txn){"tx", "CompleteCommit", 5, -1};
    f.ntxns = 1;
    CHECK_INT(proven(&f), 1);
}

TEST(a_transaction_that_no_coordinator_knows_hangs)
{
    struct fake f;
    held(&f);
    f.txns[0] = (struct fake_txn){"other", "Ongoing", 6, 0};
    f.ntxns = 1;
    CHECK_INT(proven(&f), 1);
}

TEST(an_ongoing_one_without_the_partition_hangs_there)
{
    struct fake f;
    held(&f);
    f.txns[0] = (struct fake_txn){"tx", "Ongoing", 5, 1};
    f.ntxns = 1;
    CHECK_INT(proven(&f), 1);
}

TEST(an_ongoing_transaction_is_open_and_no_more)
{
    struct fake f;
    held(&f);
    f.txns[0] = (struct fake_txn){"tx", "Ongoing", 5, 0};
    f.ntxns = 1;
    CHECK_INT(proven(&f), 0);
}

TEST(one_whose_markers_are_under_way_is_open_and_no_more)
{
    struct fake f;
    held(&f);
    f.txns[0] = (struct fake_txn){"old", "CompleteAbort", 5, -1};
    f.txns[1] = (struct fake_txn){"tx", "PrepareCommit", 5, -1};
    f.ntxns = 2;
    CHECK_INT(proven(&f), 0);
}

TEST(without_all_coordinators_nothing_is_proven)
{
    struct fake f;
    held(&f);
    f.coordinator = -1;
    CHECK_INT(proven(&f), 0);
}
