/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the scenario's author that the checker calls: id functions and invariants (folds).
 * A vtable, so that check/ knows no Lua; lua/fold.c fills it. */
#pragma once
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct fold_message { /**< a record of the audited log */
    const char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms;
    const void *key, *value; /**< NULL = null */
    size_t key_len, value_len;
};

struct fold_violation {
    char *message;  /**< NULL = no violation; caller frees */
    json_t *events; /**< array of the event objects that the author named; caller decrefs */
};

struct fold_ops {
    void *arg;
    /** Appends the id of m as text. @return 0, 1 = the function returned nil, -1 = Lua error in e.
     */
    int (*id)(void *arg, int fold, const struct fold_message *m, struct buf *out, struct err *e);
    /** The kind of emitted events that the invariant looks at, and its name; borrowed. */
    const char *(*on)(void *arg, int fold);
    const char *(*name)(void *arg, int fold);
    /** A fresh state. Then step() for each event in order, then final(). -1 = Lua error in e. */
    int (*begin)(void *arg, int fold, struct err *e);
    /** event: object with the emitted fields at top level, and `event` (id), `time` (ns), `role`,
     * `index`. */
    int (*step)(void *arg, int fold, const json_t *event, struct fold_violation *v, struct err *e);
    int (*final)(void *arg, int fold, struct fold_violation *v, struct err *e);
};
