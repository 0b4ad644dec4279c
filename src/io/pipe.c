/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the framing of the control pipe at the reading end. Bytes are collected until whole frames
 * stand in the buffer; the callback may free the reader, whose memory lives until the poll handle's
 * close callback. Loop thread only. */
#include "io/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/handle.h"

enum { HEAD = 5, CHUNK = 64 << 10, READS_PER_TURN = 16 };

struct pipe_reader {
    struct handle handle;
    uv_poll_t poll;
    int fd;
    pipe_fn fn;
    void *arg;
    struct buf in;
};

static void on_closed(uv_handle_t *uv)
{
    struct pipe_reader *r = (struct pipe_reader *)uv->data; /* handle is the first member */
    close(r->fd);
    buf_free(&r->in);
    free(r);
}

static void close_reader(struct handle *h)
{
    pipe_reader_free((struct pipe_reader *)h);
}

static bool is_closing(const struct pipe_reader *r)
{
    return uv_is_closing((const uv_handle_t *)&r->poll);
}

static void end(struct pipe_reader *r)
{
    uv_poll_stop(&r->poll);
    r->fn(r->arg, PIPE_EOF, NULL, 0);
}

static uint32_t get_u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* Hands out all whole frames. @return false if there is nothing more to do with this reader. */
static bool deliver(struct pipe_reader *r)
{
    size_t at = 0;
    while (r->in.len - at >= HEAD) {
        const char *frame = r->in.data + at;
        uint32_t len = get_u32(frame);
        uint8_t type = (uint8_t)frame[4];
        if (len > PIPE_FRAME_MAX || type == PIPE_EOF) {
            log_warn("control pipe: not a frame (type %u, %u bytes)", type, len);
            end(r);
            return false;
        }
        if (r->in.len - at - HEAD < len) {
            break;
        }
        r->fn(r->arg, type, frame + HEAD, len);
        if (is_closing(r)) {
            return false;
        }
        at += HEAD + len;
    }
    buf_consume(&r->in, at);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct pipe_reader *r = (struct pipe_reader *)poll->data;
    for (int i = 0; i < READS_PER_TURN; i++) {
        char *room = buf_reserve(&r->in, CHUNK);
        ssize_t n = read(r->fd, room, CHUNK);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            if (r->in.len > 0) {
                log_debug("control pipe: ends inside a frame"); /* the runner was killed */
            }
            end(r);
            return;
        }
        r->in.len += (size_t)n;
        if (!deliver(r)) {
            return;
        }
    }
}

struct pipe_reader *pipe_reader_new(struct loop *l, int fd, pipe_fn fn, void *arg)
{
    struct pipe_reader *r = xcalloc(1, sizeof *r);
    r->handle = (struct handle){"control pipe", close_reader};
    r->fd = fd;
    r->fn = fn;
    r->arg = arg;
    int rc = uv_poll_init(loop_uv(l), &r->poll, fd); /* sets O_NONBLOCK */
    if (rc == 0) {
        r->poll.data = r;
        rc = uv_poll_start(&r->poll, UV_READABLE, on_readable);
    }
    if (rc != 0) {
        log_warn("control pipe: descriptor %d cannot be watched: %s", fd, uv_strerror(rc));
        abort();
    }
    return r;
}

void pipe_reader_free(struct pipe_reader *r)
{
    if (r && !is_closing(r)) {
        uv_close((uv_handle_t *)&r->poll, on_closed);
    }
}
