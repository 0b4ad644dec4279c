/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the poll handle of a descriptor that somebody else reads. The handle's memory lives until
 * its close callback. */
#include "io/input.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/handle.h"

struct input {
    struct handle handle;
    uv_poll_t poll;
    loop_fn fn;
    void *arg;
};

static void on_closed(uv_handle_t *uv)
{
    free(uv->data); /* handle is the first member */
}

static void close_input(struct handle *h)
{
    input_stop((struct input *)h);
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
    struct input *in = uv->data;
    in->fn(in->arg);
}

struct input *input_start(struct loop *l, int fd, loop_fn fn, void *arg, struct err *e)
{
    struct input *in = xcalloc(1, sizeof *in);
    in->handle = (struct handle){"input", close_input};
    in->fn = fn;
    in->arg = arg;
    int rc = uv_poll_init(loop_uv(l), &in->poll, fd);
    if (rc < 0) {
        free(in);
        errno = -rc;
        err_sys(e, "watching descriptor %d", fd);
        return NULL;
    }
    in->poll.data = &in->handle;
    uv_poll_start(&in->poll, UV_READABLE, on_poll);
    return in;
}

void input_stop(struct input *in)
{
    if (in && !uv_is_closing((uv_handle_t *)&in->poll)) {
        uv_close((uv_handle_t *)&in->poll, on_closed);
    }
}
