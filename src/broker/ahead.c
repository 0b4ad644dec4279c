/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how the batch of a large Produce is found before all of the request is there. Only the
 * first one that ends behind what has come at first: large requests have one, as a rule. Nothing
 * depends on it but time. */
#include <stdlib.h>

#include "base/mem.h"
#include "broker/conn.h"

enum { HEAD = 4096 };

struct ahead {
    const char *frame;       /* where it lay when the pass began */
    size_t at;               /* of the batch */
    struct batch_pass *pass; /* NULL = this frame has nothing to look at */
};

/** @return 0: none is cut, or its header is. */
static size_t find_batch(const struct conn *c)
{
    struct wire_header h;
    struct err e;
    const char *frame = c->in.data + SIZE_BYTES;
    size_t len = c->in.len - SIZE_BYTES;
    if (wire_decode_header(&h, frame, len, &e) < 0 || h.api != API_PRODUCE ||
        !api_handles(api_find(h.api), h.version)) {
        return 0;
    }
    size_t at =
        wire_cut_records(wire_schema(h.api, WIRE_REQUEST), h.version, frame + h.body, len - h.body);
    at = at > 0 ? at + h.body : 0;
    return at > 0 && len - at >= BATCH_HEADER ? at + SIZE_BYTES : 0;
}

static struct ahead *begin(const struct conn *c, size_t frame)
{
    struct ahead *a = xmalloc(sizeof *a);
    size_t at = find_batch(c);
    const uint8_t *batch = (const uint8_t *)c->in.data + at;
    *a = (struct ahead){.frame = c->in.data, .at = at};
    a->pass = at > 0 ? batch_pass_begin(batch, frame - at) : NULL;
    return a;
}

void ahead_arrived(struct conn *c, size_t frame)
{
    if (!c->ahead && c->in.len >= HEAD) {
        c->ahead = begin(c, frame);
    }
    struct ahead *a = c->ahead;
    if (a && a->frame != c->in.data) { /* it moves: rarely, and never twice */
        free(a->pass);
        a->pass = NULL;
    }
    if (a && a->pass) {
        batch_pass_go_on(a->pass, c->in.len - a->at);
    }
}

struct batch_pass *ahead_pass(const struct conn *c)
{
    return c->ahead ? c->ahead->pass : NULL;
}

void ahead_forget(struct conn *c)
{
    if (c->ahead) {
        free(c->ahead->pass);
        free(c->ahead);
        c->ahead = NULL;
    }
}
