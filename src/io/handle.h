/* SPDX-License-Identifier: Apache-2.0 */
/* Inside io/ only: what all libuv handles of kaos share, so that loop_free() can close and name
 * them. uv_handle_t.data of every handle points to a struct handle. */
#pragma once
#include <uv.h>

#include "io/loop.h"

struct handle {
    const char *name;               /**< static, for the log */
    void (*close)(struct handle *); /**< starts closing; the last close callback frees the owner */
};

uv_loop_t *loop_uv(struct loop *l);
