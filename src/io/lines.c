/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how lines are put together from what a read happens to return. The descriptor is shared
 * with other processes, so its flags are put back at the end. Loop thread only. */
#include "io/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/handle.h"

struct line_reader {
    struct handle handle;
    uv_poll_t poll;
    int fd, flags; /**< flags: of the descriptor, as found */
    line_fn fn;
    void *arg;
    size_t len;
    char text[LINES_MAX + 1];
};

static void on_closed(uv_handle_t *uv)
{
    struct line_reader *r = (struct line_reader *)uv->data; /* handle is the first member */
    fcntl(r->fd, F_SETFL, r->flags);
    free(r);
}

static void close_reader(struct handle *h)
{
    line_reader_free((struct line_reader *)h);
}

static void hand_out(struct line_reader *r)
{
    r->text[r->len] = '\0';
    r->len = 0;
    r->fn(r->arg, r->text);
}

static void take(struct line_reader *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            hand_out(r);
        } else if (r->len < LINES_MAX) {
            r->text[r->len++] = p[i];
        }
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct line_reader *r = (struct line_reader *)poll->data;
    char chunk[LINES_MAX];
    ssize_t n = read(r->fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n > 0) {
        take(r, chunk, (size_t)n);
        return;
    }
    uv_poll_stop(&r->poll);
    if (r->len > 0) {
        hand_out(r);
    }
    r->fn(r->arg, NULL);
}

struct line_reader *line_reader_new(struct loop *l, int fd, line_fn fn, void *arg, struct err *e)
{
    struct line_reader *r = xcalloc(1, sizeof *r);
    r->handle = (struct handle){"lines", close_reader};
    r->fd = fd;
    r->flags = fcntl(fd, F_GETFL);
    r->fn = fn;
    r->arg = arg;
    int rc = uv_poll_init(loop_uv(l), &r->poll, fd); /* sets O_NONBLOCK */
    if (rc < 0) {
        err_set(e, ERR_SYSTEM, -rc, "descriptor %d is no pipe and no terminal: %s", fd,
                uv_strerror(rc));
        free(r);
        return NULL;
    }
    r->poll.data = r;
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    return r;
}

void line_reader_free(struct line_reader *r)
{
    if (r && !uv_is_closing((uv_handle_t *)&r->poll)) {
        uv_close((uv_handle_t *)&r->poll, on_closed);
    }
}
