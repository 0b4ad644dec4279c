/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/buf.h"
#include "io/loop.h"
#include "io/pipe.h"
#include "test.h"

struct reading {
    struct loop *loop;
    struct pipe_reader *r;
    struct buf seen;
    uint8_t free_at; /**< the type at which the callback frees the reader */
};

static void on_frame(void *arg, uint8_t type, const char *data, size_t len)
{
    struct reading *r = arg;
    buf_printf(&r->seen, "%u:", type);
    buf_append(&r->seen, data ? data : "", len);
    buf_puts(&r->seen, ";");
    if (type == PIPE_EOF || type == r->free_at) {
        pipe_reader_free(r->r);
    }
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* What a reader makes of these bytes, written in steps, and the end of file. */
static struct buf read_bytes(const char *bytes, size_t len, size_t step, uint8_t free_at)
{
    int fds[2];
    struct reading r = {.loop = loop_new(), .free_at = free_at};
    CHECK(pipe(fds) == 0);
    r.r = pipe_reader_new(r.loop, fds[0], on_frame, &r);
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        if (write(fds[1], bytes + at, n) < 0) {
            break; /* the reader has had enough */
        }
        loop_defer(r.loop, stop, r.loop);
        loop_run(r.loop); /* one turn */
    }
    close(fds[1]);
    loop_run(r.loop);
    loop_free(r.loop);
    return r.seen;
}

static void expect(const char *bytes, size_t len, uint8_t free_at, const char *want)
{
    for (size_t step = 1; step <= len; step += 3) {
        struct buf seen = read_bytes(bytes, len, step, free_at);
        CHECK_STR(seen.data, want);
        buf_free(&seen);
    }
}

TEST(frames_are_whole_however_they_arrive)
{
    static const char bytes[] = "\3\0\0\0\7abc\0\0\0\0\10\1\0\0\0\377x";
    expect(bytes, sizeof bytes - 1, PIPE_EOF, "7:abc;8:;255:x;0:;");
}

TEST(a_frame_that_is_cut_off_is_not_delivered)
{
    static const char bytes[] = "\1\0\0\0\7a\3\0\0\0\7ab";
    expect(bytes, sizeof bytes - 1, PIPE_EOF, "7:a;0:;");
}

TEST(what_is_no_frame_ends_the_pipe_once)
{
    static const char huge[] = "\1\0\0\0\7a\1\0\0\4\7ab\1\0\0\0\7a";
    static const char zero[] = "\1\0\0\0\7a\0\0\0\0\0\1\0\0\0\7a";
    expect(huge, sizeof huge - 1, PIPE_EOF, "7:a;0:;");
    expect(zero, sizeof zero - 1, PIPE_EOF, "7:a;0:;");
}

TEST(a_reader_may_be_freed_by_its_callback)
{
    static const char bytes[] = "\1\0\0\0\7a\1\0\0\0\6b";
    struct buf seen = read_bytes(bytes, sizeof bytes - 1, sizeof bytes - 1, 7);
    CHECK_STR(seen.data, "7:a;");
    buf_free(&seen);
}

TEST(a_reader_left_open_is_closed_with_the_loop)
{
    int fds[2];
    struct reading r = {.loop = loop_new()};
    CHECK(pipe(fds) == 0);
    pipe_reader_new(r.loop, fds[0], on_frame, &r);
    loop_free(r.loop);
    close(fds[1]);
    CHECK(!r.seen.data);
}
