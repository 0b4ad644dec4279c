/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full and a limit on files: an error with a name, no signal, and all that was
 * written before. */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/path.h"
#include "history/events.h"
#include "history/hist.h"

struct failure {
    int calls;
    struct err e;
};

static void failed(void *arg, const struct err *e)
{
    struct failure *f = arg;
    f->calls++;
    f->e = *e;
}

/* Writes until the failure, then some more; what was written before is all there. */
static void write_until_full(const char *dir, int code)
{
    struct err e = {0};
    struct failure f = {0};
    static char bytes[1000];
    struct hist *h = hist_open(dir, &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    hist_on_fail(h, failed, &f);
    int n = 0;
    for (; n < 100000 && f.calls == 0; n++) {
        hist_deliver(h, &(struct hist_deliver){.topic = hist_str(h, "in"), .offset = n});
        hist_add(h, H_EMIT, HP_FACT, 0, HS("x"), HB(bytes, sizeof bytes), HS("p"), HI(n));
    }
    CHECK_INT(f.calls, 1);
    CHECK_INT(f.e.kind, ERR_SYSTEM);
    CHECK_INT(f.e.code, code);
    CHECK_HAS(f.e.msg, dir);
    CHECK_HAS(f.e.msg, "w-1.1-");
    hist_deliver(h, &(struct hist_deliver){.topic = hist_str(h, "new name"), .offset = 1});
    hist_add(h, H_DONE, HP_FACT, 0, HS("another name"));
    hist_flush(h);
    hist_close(h);
    CHECK_INT(f.calls, 1);
    struct events *es = events_open(dir, &e);
    CHECK(es != NULL);
    CHECK(es->damaged && !es->procs[0].closed);
    CHECK_HAS(es->procs[0].damage, "its writer could not go on");
    int emits = 0;
    for (size_t i = 0; i < es->n; i++) {
        emits += es->items[i].kind == H_EMIT;
    }
    CHECK(emits == n - 1 || emits == n);
    events_free(es);
}

TEST(a_limit_on_files_is_an_error)
{
    CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){700000, 700000}) == 0);
    write_until_full(test_dir(), EFBIG);
}

TEST(a_full_disk_is_an_error)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", test_dir(), "tmpfs", 0, "size=1m") < 0) {
        test_skip("mounting needs root");
    }
    write_until_full(test_dir(), ENOSPC);
}

TEST(a_disk_full_from_the_start_is_an_error)
{
    struct err e = {0};
    CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000}) == 0);
    CHECK(hist_open(test_dir(), &(struct hist_ident){"w", 1, 1}, &e) == NULL);
    CHECK_INT(e.code, EFBIG);
    CHECK_HAS(e.msg, "w-1.1-0.seg");
    CHECK(events_open(test_dir(), &e) == NULL);
}

TEST(a_record_that_fits_no_segment_is_an_error)
{
    struct err e = {0};
    struct failure f = {0};
    struct hist *h = hist_open(test_dir(), &(struct hist_ident){"w", 1, 1}, &e);
    CHECK(h != NULL);
    hist_on_fail(h, failed, &f);
    hist_add(h, H_DONE, HP_FACT, 0, HS("before"));
    hist_add(h, H_LOG, HP_FACT, 0, HB("never read", (size_t)1 << 33));
    CHECK_INT(f.calls, 1);
    CHECK_INT(f.e.code, EFBIG);
    CHECK_HAS(f.e.msg, "w-1.1-0.seg");
    hist_close(h);
    struct events *es = events_open(test_dir(), &e);
    CHECK(es && es->damaged);
    CHECK_INT(es->n, 1);
    events_free(es);
}
