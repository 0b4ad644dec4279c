/* SPDX-License-Identifier: Apache-2.0 */
/* Hides a slow or stopped reader: frames go out at once while the pipe takes them, the rest waits
 * in a buffer that a poll handle empties. Loop thread only. */
#include "io/writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/handle.h"
#include "io/pipe.h"

enum { KEEP_CONSUMED = 1 << 20 }; /* written bytes are moved out in steps of this size */

struct writer {
    struct handle handle;
    uv_poll_t poll;
    int fd;
    struct buf out;
    size_t at; /**< bytes of out that are written */
    bool broken, polling;
};

static void on_closed(uv_handle_t *uv)
{
    struct writer *w = (struct writer *)uv->data;
    close(w->fd);
    buf_free(&w->out);
    free(w);
}

static void close_writer(struct handle *h)
{
    writer_free((struct writer *)h);
}

static void on_writable(uv_poll_t *poll, int status, int events);

static void set_polling(struct writer *w, bool on)
{
    if (on == w->polling) {
        return;
    }
    w->polling = on;
    if (on) {
        uv_poll_start(&w->poll, UV_WRITABLE, on_writable);
        uv_unref((uv_handle_t *)&w->poll);
    } else {
        uv_poll_stop(&w->poll);
    }
}

static void flush(struct writer *w)
{
    while (w->at < w->out.len && !w->broken) {
        ssize_t n = write(w->fd, w->out.data + w->at, w->out.len - w->at);
        if (n >= 0) {
            w->at += (size_t)n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            w->broken = true; /* EPIPE: the reader is dead, its exit is reported elsewhere */
        }
    }
    if (w->broken || w->at == w->out.len) {
        w->out.len = w->at = 0;
    } else if (w->at > KEEP_CONSUMED) {
        buf_consume(&w->out, w->at);
        w->at = 0;
    }
    set_polling(w, w->out.len > 0);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    flush((struct writer *)poll->data);
}

struct writer *writer_new(struct loop *l, int fd)
{
    struct writer *w = xcalloc(1, sizeof *w);
    w->handle = (struct handle){"control pipe (writing)", close_writer};
    w->fd = fd;
    int rc = uv_poll_init(loop_uv(l), &w->poll, fd); /* sets O_NONBLOCK */
    if (rc != 0) {
        log_warn("control pipe: %s", uv_strerror(rc));
        abort();
    }
    w->poll.data = w;
    return w;
}

void writer_send(struct writer *w, uint8_t type, const void *data, uint32_t len)
{
    const char head[] = {(char)len, (char)(len >> 8), (char)(len >> 16), (char)(len >> 24),
                         (char)type};
    assert(type != PIPE_EOF && len <= PIPE_FRAME_MAX);
    if (w->broken) {
        return;
    }
    buf_append(&w->out, head, sizeof head);
    if (len > 0) {
        buf_append(&w->out, data, len);
    }
    flush(w);
}

size_t writer_queued(const struct writer *w)
{
    return w->out.len - w->at;
}

void writer_free(struct writer *w)
{
    if (w && !uv_is_closing((uv_handle_t *)&w->poll)) {
        uv_close((uv_handle_t *)&w->poll, on_closed);
    }
}
