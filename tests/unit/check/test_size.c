/* SPDX-License-Identifier: Apache-2.0 */
/* Size: a history of many records; what writing and judging took is printed side by side. */
#include "base/clock.h"
#include "world.h"

TEST_LIMIT(many_records_are_judged, 120)
{
    enum { N = 40000 };
    uint64_t t0 = clock_mono_ns();
    struct world *w = world_new();
    world_expect_eos(w, ID_VALUE);
    struct proc *c = proc_start(w, "controller", 1, 1);
    struct proc *w1 = proc_start(w, "worker", 1, 1);
    for (int i = 0; i < N; i++) {
        proc_send_plain(c, INPUT, 0, NULL);
    }
    proc_deliver(w1, INPUT, 0, 0, N - 1, "copy", true);
    proc_begin(w1);
    for (long i = 0; i < N; i++) {
        proc_copy(w1, (int)(i % PARTS), 0, i);
    }
    proc_offsets(w1, 0, N);
    proc_commit(w1);
    world_finish(w);
    uint64_t t1 = clock_mono_ns();
    world_must_pass(w);
    uint64_t t2 = clock_mono_ns();
    fprintf(stderr, "# %d records written in %d ms, judged in %d ms\n", 2 * N,
            (int)((t1 - t0) / 1000000), (int)((t2 - t1) / 1000000));
    CHECK_INT(w->v->facts.exactly_once, N);
    world_free(w);
}
