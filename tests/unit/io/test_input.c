/* SPDX-License-Identifier: Apache-2.0 */
/* A watched descriptor. */
#include <unistd.h>

#include "io/input.h"
#include "test.h"

struct watched {
    struct loop *loop;
    struct input *in;
    int fd, bytes, ends;
};

static void on_input(void *arg)
{
    struct watched *w = arg;
    char c[8];
    ssize_t n = read(w->fd, c, sizeof c);
    w->bytes += n > 0 ? (int)n : 0;
    if (n == 0) {
        w->ends++;
        input_stop(w->in);
        loop_stop(w->loop);
    }
}

TEST(input_is_told_until_it_ends)
{
    int fds[2];
    struct err e;
    CHECK_INT(pipe(fds), 0);
    struct watched w = {.loop = loop_new(), .fd = fds[0]};
    w.in = input_start(w.loop, fds[0], on_input, &w, &e);
    CHECK(w.in);
    CHECK_INT(write(fds[1], "abc", 3), 3);
    close(fds[1]);
    loop_run(w.loop);
    CHECK_INT(w.bytes, 3);
    CHECK_INT(w.ends, 1);
    input_stop(NULL);
    loop_free(w.loop);
    close(fds[0]);
}

TEST(what_cannot_be_watched_is_an_error)
{
    struct err e;
    struct loop *l = loop_new();
    CHECK(!input_start(l, -1, on_input, NULL, &e));
    CHECK_HAS(e.msg, "watching descriptor -1");
    loop_free(l);
}
