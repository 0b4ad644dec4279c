/* SPDX-License-Identifier: Apache-2.0 */
/* Writing history: each process appends to memory-mapped segment files of its own in DIR; what was
 * written before a SIGKILL survives. One thread per struct hist. See docs/history-format.md. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hist_kind {
#define KIND(id, name, doc) H_##id,
#define FIELD(kind, id, name, type)
#include "history/kinds.def"
#undef KIND
#undef FIELD
    H_NKINDS
};

/** HARNESS.what when the runner itself did not run for seconds: nothing that is late then is the
 * fault of what it tests. */
#define HIST_STOOD_STILL "the runner stood still"

/* Slots: H_SEND_TOPIC is the slot of field TOPIC in kind SEND. */
enum {
    HIST_SLOTS_
#define KIND(id, name, doc)                                                                        \
    }                                                                                              \
    ;                                                                                              \
    enum {
#define FIELD(kind, id, name, type) H_##kind##_##id,
#include "history/kinds.def"
#undef KIND
#undef FIELD
};

enum hist_phase { HP_INVOKE, HP_OK, HP_FAIL, HP_UNKNOWN, HP_FACT };
enum hist_type { HT_INT, HT_STR, HT_BYTES };

struct hist_field {
    const char *name;
    enum hist_type type;
};
struct hist_kind_info {
    const char *name, *doc;
    const struct hist_field *fields;
    int nfields;
};
/** The row of a kind; NULL above H_NKINDS (a newer writer). */
const struct hist_kind_info *hist_kind_info(unsigned kind);
const char *hist_phase_name(enum hist_phase phase);

/** Who writes. Role "runner" and "audit" are kaos itself. */
struct hist_ident {
    const char *role;
    int index;       /**< 1.. ; 0 for kaos itself */
    int incarnation; /**< 1.. ; 0 for kaos itself */
};

struct hist;
/** Called once when nothing more can be written (disk full, file gone); e says what on which file.
 * Must not call hist_close(). */
typedef void (*hist_fail_fn)(void *arg, const struct err *e);

/** Creates DIR/ROLE-INDEX.INCARNATION-N.seg. @return NULL with ERR_SYSTEM. */
struct hist *hist_open(const char *dir, const struct hist_ident *who, struct err *e);
void hist_on_fail(struct hist *h, hist_fail_fn fn, void *arg);
/** Ends the last segment cleanly (trimmed to its length) and frees; NULL is fine. */
void hist_close(struct hist *h);
/** A new operation id of this process, from 1. 0 = no operation. */
uint64_t hist_op(struct hist *h);
/** The id of an interned string, defined in band on first use; "" is 0. */
int64_t hist_str(struct hist *h, const char *s);
int64_t hist_strn(struct hist *h, const char *s, size_t len);

struct hist_val {
    enum hist_type type;
    int64_t i;
    const void *p; /**< STR: NUL-terminated (NULL = ""), BYTES: data or NULL = null */
    size_t len;
};
#define HI(v)    ((struct hist_val){.type = HT_INT, .i = (int64_t)(v)})
#define HS(s)    ((struct hist_val){.type = HT_STR, .p = (s)})
#define HB(d, n) ((struct hist_val){.type = HT_BYTES, .p = (d), .len = (n)})
/** Appends one event; the values are the kind's fields in order, all of them (asserted).
 *  It is in the file, complete, when the call returns. */
#define hist_add(h, kind, phase, op, ...)                                                          \
    hist_addv(h, kind, phase, op, (const struct hist_val[]){__VA_ARGS__},                          \
              sizeof((const struct hist_val[]){__VA_ARGS__}) / sizeof(struct hist_val))
void hist_addv(struct hist *h, enum hist_kind kind, enum hist_phase phase, uint64_t op,
               const struct hist_val *vals, size_t n);

/** Ends all open runs, so that a tail sees them: for a process that is about to wait, and now and
 *  then for one that may not know that it does (the last record would stay hidden). */
void hist_flush(struct hist *h);

/* Runs. A call extends the open run of its partition in place where it continues it (and is younger
 * than 10 ms), else begins a new record. hist_add() closes all runs, so that order between records
 * is the order of calls. Strings are ids from hist_str(), so that a call costs tens of nanoseconds.
 */
struct hist_send {
    int64_t producer, topic; /**< string ids */
    int64_t partition;       /**< requested, or -1 */
    int64_t seq;
    int64_t txn;       /**< or -1 */
    int64_t src_topic; /**< string id, 0 = none */
    int64_t src_partition, src_offset;
    int64_t planned; /**< CLOCK_MONOTONIC: when it should have gone out; 0 = it is not late */
};
void hist_send(struct hist *h, const struct hist_send *s);
struct hist_ack {
    int64_t producer, topic, partition, seq, offset, error; /**< error: string id, 0 = none */
};
void hist_ack(struct hist *h, enum hist_phase phase, const struct hist_ack *a);
struct hist_deliver {
    int64_t consumer, group, topic, partition, offset, assignment;
    bool read_committed;
};
void hist_deliver(struct hist *h, const struct hist_deliver *d);
