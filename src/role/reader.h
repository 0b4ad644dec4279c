/* SPDX-License-Identifier: Apache-2.0 */
/* kaos's own read_committed reader of one topic: what the client library delivers, to be compared
 * with what the log holds. */
#pragma once
#include "base/err.h"
#include "history/hist.h"
#include "io/loop.h"

struct reader;
struct reader_setup {
    struct loop *loop;
    struct hist *hist;
    const char *bootstrap, *topic, *name;
    void (*on_fatal)(void *arg, const struct err *e);
    void (*on_end)(void *arg); /**< after STOP, when it has read to the end */
    void *arg;
};

/** Everything in setup is kept (borrowed). @return NULL with ERR_USAGE */
struct reader *reader_start(const struct reader_setup *setup, struct err *e);
/** Reads on until nothing has come for a while, bounded; then on_end. */
void reader_stop(struct reader *r);
/** After on_end. */
void reader_close(struct reader *r, loop_fn done, void *arg);
