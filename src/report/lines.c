/* SPDX-License-Identifier: Apache-2.0 */
/* One printer per kind of event. A printer fills who (preset to the writing process), what, text
 * and note; kinds without one are for programs. */
#include "report/lines.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct line {
    const struct event *ev;
    const struct names *ns;
    struct buf who, what, text, note;
    uint64_t t;
    bool death, hidden;
};

#define INT(slot) event_int(l->ev, slot)
#define STR(slot) event_str(l->ev, slot)

static void set_who(struct line *l, const char *role, int64_t index, int64_t incarnation)
{
    l->who.len = 0;
    names_put(&l->who, l->ns, role, index, incarnation);
}

static void put_record(struct buf *b, const char *topic, int64_t partition, int64_t first,
                       int64_t last)
{
    buf_puts(b, topic);
    if (partition >= 0) {
        buf_printf(b, "[%lld]", (long long)partition);
    }
    if (first >= 0) {
        buf_printf(b, "@%lld", (long long)first);
    }
    if (first >= 0 && last > first) {
        buf_printf(b, "..%lld", (long long)last);
    }
}

static void put_range(struct buf *b, const char *word, int64_t first, int64_t count)
{
    buf_printf(b, "%s %lld", word, (long long)first);
    if (count > 1) {
        buf_printf(b, "..%lld", (long long)(first + count - 1));
    }
}

static void put_txn(struct buf *b, int64_t txn)
{
    if (txn >= 0) {
        buf_printf(b, "%stx %lld", b->len ? "  " : "", (long long)txn);
    }
}

static void put_fault(struct buf *b, int64_t fault)
{
    if (fault >= 0) {
        buf_printf(b, "%sfault %lld", b->len ? "  " : "", (long long)fault);
    }
}

/* "asked", "ok", "failed: CODE", "unknown: CODE". */
static void put_outcome(struct line *l, const char *error)
{
    static const char *const words[] = {"asked", "ok", "failed", "outcome unknown", ""};
    buf_printf(&l->text, " %s%s%s", words[l->ev->phase], error[0] ? ": " : "", error);
}

static void put_bytes(struct buf *b, const struct event *ev, int slot)
{
    size_t len;
    const char *p = event_bytes(ev, slot, &len);
    text_putn(b, p ? p : "null", p ? len : 4, 0);
}

static const char *outcome_name(int64_t outcome)
{
    static const char *const names[] = {"plain", "committed", "aborted", "open"};
    return outcome >= 0 && outcome < 4 ? names[outcome] : "?";
}

static void line_phase(struct line *l)
{
    buf_puts(&l->what, "phase");
    buf_puts(&l->text, STR(H_PHASE_NAME));
    buf_puts(&l->note, STR(H_PHASE_DETAIL));
}

static void line_spawn(struct line *l)
{
    set_who(l, STR(H_SPAWN_ROLE), INT(H_SPAWN_INDEX), INT(H_SPAWN_INCARNATION));
    buf_puts(&l->what, "start");
    buf_printf(&l->text, "%s, pid %lld", STR(H_SPAWN_WHY), (long long)INT(H_SPAWN_PID));
}

static void line_exit(struct line *l)
{
    const char *why = STR(H_EXIT_WHY);
    set_who(l, STR(H_EXIT_ROLE), INT(H_EXIT_INDEX), INT(H_EXIT_INCARNATION));
    l->death = strcmp(why, "returned") != 0 && strcmp(why, "stopped") != 0;
    buf_puts(&l->what, "exit");
    buf_puts(&l->text, why);
    if (INT(H_EXIT_SIGNAL) > 0) {
        buf_printf(&l->text, ", signal %lld", (long long)INT(H_EXIT_SIGNAL));
    } else {
        buf_printf(&l->text, ", code %lld", (long long)INT(H_EXIT_CODE));
    }
    put_fault(&l->note, INT(H_EXIT_FAULT));
}

static void line_signal(struct line *l)
{
    int64_t n = INT(H_SIGNAL_SIGNUM);
    set_who(l, STR(H_SIGNAL_ROLE), INT(H_SIGNAL_INDEX), INT(H_SIGNAL_INCARNATION));
    buf_puts(&l->what, n == SIGSTOP ? "pause" : n == SIGCONT ? "resume" : "signal");
    buf_printf(&l->text, "signal %lld%s", (long long)n,
               INT(H_SIGNAL_CONFIRMED) ? "" : ", effect not seen");
    put_fault(&l->note, INT(H_SIGNAL_FAULT));
}

static void line_fault(struct line *l)
{
    buf_puts(&l->what, "fault");
    buf_printf(&l->text, "%s %s #%lld %s", STR(H_FAULT_KIND), STR(H_FAULT_EDGE),
               (long long)INT(H_FAULT_NUMBER), STR(H_FAULT_TARGET));
    buf_puts(&l->note, STR(H_FAULT_DETAIL));
    put_fault(&l->note, INT(H_FAULT_FAULT));
}

static void line_node(struct line *l)
{
    l->who.len = 0;
    buf_printf(&l->who, "broker %lld", (long long)INT(H_NODE_NODE));
    l->death = strcmp(STR(H_NODE_WHAT), "down") == 0;
    buf_puts(&l->what, STR(H_NODE_WHAT));
    put_fault(&l->note, INT(H_NODE_FAULT));
}

static void group_who(struct line *l, const char *group)
{
    l->who.len = 0;
    buf_puts(&l->who, group);
}

static void line_group(struct line *l)
{
    group_who(l, STR(H_GROUP_GROUP));
    buf_puts(&l->what, "group");
    buf_printf(&l->text, "%s, %lld members", STR(H_GROUP_STATE), (long long)INT(H_GROUP_MEMBERS));
}

static void line_committed(struct line *l)
{
    group_who(l, STR(H_COMMITTED_GROUP));
    buf_puts(&l->what, "committed");
    put_record(&l->text, STR(H_COMMITTED_TOPIC), INT(H_COMMITTED_PARTITION),
               INT(H_COMMITTED_OFFSET), -1);
    buf_puts(&l->note, INT(H_COMMITTED_STABLE) ? "" : "a transaction is pending on it");
}

static void line_harness(struct line *l)
{
    buf_puts(&l->what, "harness");
    buf_puts(&l->text, STR(H_HARNESS_WHAT));
    buf_puts(&l->note, STR(H_HARNESS_DETAIL));
}

static void line_ready(struct line *l)
{
    buf_puts(&l->what, "ready");
}

static void line_send(struct line *l)
{
    buf_puts(&l->what, "send");
    put_record(&l->text, STR(H_SEND_TOPIC), INT(H_SEND_PARTITION), -1, -1);
    put_range(&l->text, " seq", INT(H_SEND_SEQ), INT(H_SEND_COUNT));
    if (STR(H_SEND_SRC_TOPIC)[0]) {
        buf_puts(&l->text, "  from ");
        put_record(&l->text, STR(H_SEND_SRC_TOPIC), INT(H_SEND_SRC_PARTITION),
                   INT(H_SEND_SRC_OFFSET), INT(H_SEND_SRC_OFFSET) + INT(H_SEND_COUNT) - 1);
    }
    put_txn(&l->note, INT(H_SEND_TXN));
}

static void line_ack(struct line *l)
{
    buf_puts(&l->what, l->ev->phase == HP_OK ? "ack" : "no ack");
    put_record(&l->text, STR(H_ACK_TOPIC), INT(H_ACK_PARTITION), INT(H_ACK_OFFSET),
               INT(H_ACK_OFFSET) + INT(H_ACK_COUNT) - 1);
    put_range(&l->text, " seq", INT(H_ACK_SEQ), INT(H_ACK_COUNT));
    if (l->ev->phase != HP_OK) {
        put_outcome(l, STR(H_ACK_ERROR));
    }
}

static void line_deliver(struct line *l)
{
    int64_t first = INT(H_DELIVER_FIRST), last = INT(H_DELIVER_LAST);
    buf_puts(&l->what, "poll");
    put_record(&l->text, STR(H_DELIVER_TOPIC), INT(H_DELIVER_PARTITION), first, last);
    if (INT(H_DELIVER_COUNT) != last - first + 1) {
        buf_printf(&l->note, "%lld records", (long long)INT(H_DELIVER_COUNT));
    }
}

static void line_txn_init(struct line *l)
{
    buf_puts(&l->what, "init");
    buf_puts(&l->text, STR(H_TXN_INIT_PRODUCER));
    put_outcome(l, STR(H_TXN_INIT_ERROR));
}

static void line_txn_begin(struct line *l)
{
    l->hidden = l->ev->phase == HP_INVOKE;
    buf_puts(&l->what, "begin");
    put_txn(&l->text, INT(H_TXN_BEGIN_TXN));
    put_outcome(l, STR(H_TXN_BEGIN_ERROR));
}

static void line_txn_offsets(struct line *l)
{
    buf_puts(&l->what, "offsets");
    if (INT(H_TXN_OFFSETS_PARTITION) >= 0) {
        put_record(&l->text, STR(H_TXN_OFFSETS_TOPIC), INT(H_TXN_OFFSETS_PARTITION), -1, -1);
        buf_printf(&l->text, " to %lld", (long long)INT(H_TXN_OFFSETS_OFFSET));
        put_txn(&l->note, INT(H_TXN_OFFSETS_TXN));
    } else {
        put_txn(&l->text, INT(H_TXN_OFFSETS_TXN));
        put_outcome(l, STR(H_TXN_OFFSETS_ERROR));
    }
}

static void line_txn_commit(struct line *l)
{
    buf_puts(&l->what, "commit");
    put_txn(&l->text, INT(H_TXN_COMMIT_TXN));
    put_outcome(l, STR(H_TXN_COMMIT_ERROR));
}

static void line_txn_abort(struct line *l)
{
    buf_puts(&l->what, "abort");
    put_txn(&l->text, INT(H_TXN_ABORT_TXN));
    put_outcome(l, STR(H_TXN_ABORT_ERROR));
    buf_puts(&l->note, STR(H_TXN_ABORT_WHY));
}

static void line_assign(struct line *l)
{
    buf_puts(&l->what, "assign");
    if (INT(H_ASSIGN_PARTITION) < 0) {
        buf_puts(&l->text, "nothing");
    } else {
        put_record(&l->text, STR(H_ASSIGN_TOPIC), INT(H_ASSIGN_PARTITION), INT(H_ASSIGN_OFFSET),
                   -1);
    }
    if (INT(H_ASSIGN_GENERATION) >= 0) {
        buf_printf(&l->note, "%s generation %lld", STR(H_ASSIGN_GROUP),
                   (long long)INT(H_ASSIGN_GENERATION));
    }
}

static void line_revoke(struct line *l)
{
    buf_puts(&l->what, INT(H_REVOKE_LOST) > 0 ? "lost" : "revoke");
    put_record(&l->text, STR(H_REVOKE_TOPIC), INT(H_REVOKE_PARTITION), -1, -1);
}

static void line_commit(struct line *l)
{
    buf_puts(&l->what, "commit");
    if (INT(H_COMMIT_PARTITION) >= 0) {
        put_record(&l->text, STR(H_COMMIT_TOPIC), INT(H_COMMIT_PARTITION), -1, -1);
        buf_printf(&l->text, " to %lld", (long long)INT(H_COMMIT_OFFSET));
    } else {
        buf_puts(&l->text, "offsets");
    }
    put_outcome(l, STR(H_COMMIT_ERROR));
    buf_puts(&l->note, "not in a transaction");
}

static void line_seek(struct line *l)
{
    buf_puts(&l->what, "seek");
    put_record(&l->text, STR(H_SEEK_TOPIC), INT(H_SEEK_PARTITION), -1, -1);
    buf_printf(&l->text, " from %lld to %lld", (long long)INT(H_SEEK_FROM),
               (long long)INT(H_SEEK_OFFSET));
    buf_puts(&l->note, STR(H_SEEK_WHY));
}

static void line_flow(struct line *l)
{
    buf_puts(&l->what, INT(H_FLOW_PAUSED) ? "hold" : "go on");
    put_record(&l->text, STR(H_FLOW_TOPIC), INT(H_FLOW_PARTITION), -1, -1);
}

static void line_emit(struct line *l)
{
    buf_puts(&l->what, "emit");
    buf_printf(&l->text, "%s ", STR(H_EMIT_KIND));
    put_bytes(&l->text, l->ev, H_EMIT_FIELDS);
    put_txn(&l->note, INT(H_EMIT_TXN));
}

static void line_log(struct line *l)
{
    buf_puts(&l->what, "log");
    put_bytes(&l->text, l->ev, H_LOG_TEXT);
}

static void line_reached(struct line *l)
{
    buf_puts(&l->what, "reached");
    buf_puts(&l->text, STR(H_REACHED_NAME));
}

static void line_assert(struct line *l)
{
    l->hidden = INT(H_ASSERT_OK) > 0;
    buf_puts(&l->what, "assert");
    buf_printf(&l->text, "%s failed ", STR(H_ASSERT_NAME));
    put_bytes(&l->text, l->ev, H_ASSERT_DETAILS);
    buf_puts(&l->note, STR(H_ASSERT_WHERE));
}

static void line_done(struct line *l)
{
    buf_puts(&l->what, "done");
    buf_puts(&l->text, STR(H_DONE_NAME));
}

static void line_draw(struct line *l)
{
    l->hidden = INT(H_DRAW_HIT) <= 0;
    buf_puts(&l->what, "drawn");
    buf_printf(&l->text, "%s  ", STR(H_DRAW_POINT));
    put_record(&l->text, STR(H_DRAW_TOPIC), INT(H_DRAW_PARTITION), INT(H_DRAW_OFFSET), -1);
    buf_printf(&l->text, ", delivery %lld", (long long)INT(H_DRAW_DELIVERY));
    put_fault(&l->note, INT(H_DRAW_FAULT));
}

static void line_crash(struct line *l)
{
    l->death = true;
    buf_puts(&l->what, "crash");
    buf_printf(&l->text, "%s  ", STR(H_CRASH_POINT));
    if (STR(H_CRASH_TOPIC)[0]) {
        put_record(&l->text, STR(H_CRASH_TOPIC), INT(H_CRASH_PARTITION), INT(H_CRASH_OFFSET), -1);
    }
    put_txn(&l->note, INT(H_CRASH_TXN));
    put_fault(&l->note, INT(H_CRASH_FAULT));
}

static void line_error(struct line *l)
{
    l->death = true;
    buf_puts(&l->what, "error");
    buf_printf(&l->text, "%s ", STR(H_ERROR_CODE));
    put_bytes(&l->text, l->ev, H_ERROR_MESSAGE);
    buf_puts(&l->note, STR(H_ERROR_WHERE));
}

static void line_returned(struct line *l)
{
    buf_puts(&l->what, "return");
    buf_puts(&l->text, STR(H_RETURNED_WHY));
}

/* When the record was appended, by its timestamp; the audit saw it much later. */
static void log_time(struct line *l, int64_t ms)
{
    int64_t ns = ms > 0 && ms < INT64_MAX / 1000000 ? ms * 1000000 : 0;
    int64_t t = ns + (int64_t)(l->ev->who->mono_ns - l->ev->who->real_ns);
    l->t = ns > 0 && t > 0 ? (uint64_t)t : l->t;
    l->who.len = 0;
    buf_puts(&l->who, "log");
}

static void line_log_record(struct line *l)
{
    log_time(l, INT(H_LOG_RECORD_TIMESTAMP));
    buf_puts(&l->what, "record");
    put_record(&l->text, STR(H_LOG_RECORD_TOPIC), INT(H_LOG_RECORD_PARTITION),
               INT(H_LOG_RECORD_OFFSET), -1);
    if (STR(H_LOG_RECORD_ROLE)[0]) {
        buf_puts(&l->text, " of ");
        names_put(&l->text, l->ns, STR(H_LOG_RECORD_ROLE), INT(H_LOG_RECORD_INDEX),
                  INT(H_LOG_RECORD_INCARNATION));
        buf_printf(&l->text, " seq %lld", (long long)INT(H_LOG_RECORD_SEQ));
    }
    buf_puts(&l->note, outcome_name(INT(H_LOG_RECORD_OUTCOME)));
    put_txn(&l->note, STR(H_LOG_RECORD_TXN_ID)[0] ? INT(H_LOG_RECORD_TXN) : -1);
}

static void line_log_control(struct line *l)
{
    log_time(l, INT(H_LOG_CONTROL_TIMESTAMP));
    buf_puts(&l->what, "marker");
    put_record(&l->text, STR(H_LOG_CONTROL_TOPIC), INT(H_LOG_CONTROL_PARTITION),
               INT(H_LOG_CONTROL_OFFSET), -1);
    buf_printf(&l->text, " %s", INT(H_LOG_CONTROL_TYPE) == 1 ? "commit" : "abort");
    buf_printf(&l->note, "producer %lld epoch %lld", (long long)INT(H_LOG_CONTROL_PID),
               (long long)INT(H_LOG_CONTROL_EPOCH));
}

static void line_log_offset(struct line *l)
{
    log_time(l, INT(H_LOG_OFFSET_TIMESTAMP));
    group_who(l, STR(H_LOG_OFFSET_GROUP));
    buf_puts(&l->what, "offset");
    put_record(&l->text, STR(H_LOG_OFFSET_TOPIC), INT(H_LOG_OFFSET_PARTITION), -1, -1);
    buf_printf(&l->text, " to %lld", (long long)INT(H_LOG_OFFSET_OFFSET));
    buf_puts(&l->note, outcome_name(INT(H_LOG_OFFSET_OUTCOME)));
}

static void line_log_txn(struct line *l)
{
    log_time(l, INT(H_LOG_TXN_UPDATE_MS));
    buf_puts(&l->what, "txn state");
    buf_printf(&l->text, "%s %s", STR(H_LOG_TXN_TXN_ID), STR(H_LOG_TXN_STATE));
    buf_printf(&l->note, "producer %lld epoch %lld", (long long)INT(H_LOG_TXN_PID),
               (long long)INT(H_LOG_TXN_EPOCH));
}

static void line_open_txn(struct line *l)
{
    buf_puts(&l->what, "open");
    put_record(&l->text, STR(H_OPEN_TXN_TOPIC), INT(H_OPEN_TXN_PARTITION),
               INT(H_OPEN_TXN_START_OFFSET), -1);
    buf_printf(&l->text, " %s %s", STR(H_OPEN_TXN_TXN_ID), STR(H_OPEN_TXN_STATE));
    buf_puts(&l->note, INT(H_OPEN_TXN_PROVEN) > 0 ? "hangs" : "");
}

static void line_audit(struct line *l)
{
    buf_puts(&l->what, "audit");
    buf_printf(&l->text, "%s %s", STR(H_AUDIT_PASS), STR(H_AUDIT_WHAT));
    buf_puts(&l->note, STR(H_AUDIT_DETAIL));
}

static void line_probe(struct line *l)
{
    group_who(l, STR(H_PROBE_GROUP));
    buf_puts(&l->what, "probe");
    buf_printf(&l->text, "%lld records added", (long long)INT(H_PROBE_ADDED));
    buf_puts(&l->note, STR(H_PROBE_DETAIL));
}

static void (*const printers[H_NKINDS])(struct line *) = {
    [H_PHASE] = line_phase,
    [H_SPAWN] = line_spawn,
    [H_EXIT] = line_exit,
    [H_SIGNAL] = line_signal,
    [H_FAULT] = line_fault,
    [H_NODE] = line_node,
    [H_GROUP] = line_group,
    [H_COMMITTED] = line_committed,
    [H_HARNESS] = line_harness,
    [H_READY] = line_ready,
    [H_SEND] = line_send,
    [H_ACK] = line_ack,
    [H_DELIVER] = line_deliver,
    [H_TXN_INIT] = line_txn_init,
    [H_TXN_BEGIN] = line_txn_begin,
    [H_TXN_OFFSETS] = line_txn_offsets,
    [H_TXN_COMMIT] = line_txn_commit,
    [H_TXN_ABORT] = line_txn_abort,
    [H_ASSIGN] = line_assign,
    [H_REVOKE] = line_revoke,
    [H_COMMIT] = line_commit,
    [H_SEEK] = line_seek,
    [H_FLOW] = line_flow,
    [H_EMIT] = line_emit,
    [H_LOG] = line_log,
    [H_REACHED] = line_reached,
    [H_ASSERT] = line_assert,
    [H_DONE] = line_done,
    [H_DRAW] = line_draw,
    [H_CRASH] = line_crash,
    [H_ERROR] = line_error,
    [H_RETURNED] = line_returned,
    [H_LOG_RECORD] = line_log_record,
    [H_LOG_CONTROL] = line_log_control,
    [H_LOG_OFFSET] = line_log_offset,
    [H_LOG_TXN] = line_log_txn,
    [H_OPEN_TXN] = line_open_txn,
    [H_AUDIT] = line_audit,
    [H_PROBE] = line_probe,
};

bool lines_add(struct lines *ls, const struct names *ns, const struct event *ev)
{
    struct line l = {.ev = ev, .ns = ns, .t = ev->t};
    if (ev->kind >= H_NKINDS || !printers[ev->kind] || ev->phase > HP_FACT) {
        return false;
    }
    set_who(&l, ev->who->role, ev->who->index, ev->who->incarnation);
    printers[ev->kind](&l);
    if (l.hidden) {
        buf_free(&l.who);
        buf_free(&l.what);
        buf_free(&l.text);
        buf_free(&l.note);
        return false;
    }
    *VEC_PUSH(ls) = (struct timeline_line){.t = l.t,
                                           .event = {ev->proc, ev->seq},
                                           .who = buf_take(&l.who),
                                           .what = buf_take(&l.what),
                                           .text = buf_take(&l.text),
                                           .note = buf_take(&l.note),
                                           .death = l.death};
    return true;
}

void lines_drop(struct lines *ls)
{
    struct timeline_line *l = &ls->items[--ls->n];
    free((char *)l->who);
    free((char *)l->what);
    free((char *)l->text);
    free((char *)l->note);
}

static int by_time(const void *a, const void *b)
{
    const struct timeline_line *x = a, *y = b;
    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    if (x->event.proc != y->event.proc) {
        return x->event.proc < y->event.proc ? -1 : 1;
    }
    return x->event.seq < y->event.seq ? -1 : x->event.seq > y->event.seq;
}

void lines_sort(struct lines *ls)
{
    if (ls->n > 0) {
        qsort(ls->items, ls->n, sizeof *ls->items, by_time);
    }
}

void lines_free(struct lines *ls)
{
    while (ls->n > 0) {
        lines_drop(ls);
    }
    free(ls->items);
    *ls = (struct lines){0};
}
