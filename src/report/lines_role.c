/* SPDX-License-Identifier: Apache-2.0 */
/* Printers of what role processes write. */
#include "report/line.h"

static void line_ready(struct line *l)
{
    buf_puts(&l->what, "ready");
}

static void line_send(struct line *l)
{
    buf_puts(&l->what, "send");
    line_put_record(&l->text, STR(H_SEND_TOPIC), INT(H_SEND_PARTITION), -1, -1);
    line_put_range(&l->text, " seq", INT(H_SEND_SEQ), INT(H_SEND_COUNT));
    if (STR(H_SEND_SRC_TOPIC)[0]) {
        buf_puts(&l->text, "  from ");
        line_put_record(&l->text, STR(H_SEND_SRC_TOPIC), INT(H_SEND_SRC_PARTITION),
                        INT(H_SEND_SRC_OFFSET), INT(H_SEND_SRC_OFFSET) + INT(H_SEND_COUNT) - 1);
    }
    line_put_txn(&l->note, INT(H_SEND_TXN));
}

static void line_ack(struct line *l)
{
    buf_puts(&l->what, l->ev->phase == HP_OK ? "ack" : "no ack");
    line_put_record(&l->text, STR(H_ACK_TOPIC), INT(H_ACK_PARTITION), INT(H_ACK_OFFSET),
                    INT(H_ACK_OFFSET) + INT(H_ACK_COUNT) - 1);
    line_put_range(&l->text, " seq", INT(H_ACK_SEQ), INT(H_ACK_COUNT));
    if (l->ev->phase != HP_OK) {
        line_put_outcome(l, STR(H_ACK_ERROR));
    }
}

static void line_deliver(struct line *l)
{
    int64_t first = INT(H_DELIVER_FIRST), last = INT(H_DELIVER_LAST);
    buf_puts(&l->what, "poll");
    line_put_record(&l->text, STR(H_DELIVER_TOPIC), INT(H_DELIVER_PARTITION), first, last);
    if (INT(H_DELIVER_COUNT) != last - first + 1) {
        buf_printf(&l->note, "%lld records", (long long)INT(H_DELIVER_COUNT));
    }
}

static void line_txn_init(struct line *l)
{
    buf_puts(&l->what, "init");
    buf_puts(&l->text, STR(H_TXN_INIT_PRODUCER));
    line_put_outcome(l, STR(H_TXN_INIT_ERROR));
}

static void line_txn_begin(struct line *l)
{
    l->hidden = l->ev->phase == HP_INVOKE;
    buf_puts(&l->what, "begin");
    line_put_txn(&l->text, INT(H_TXN_BEGIN_TXN));
    line_put_outcome(l, STR(H_TXN_BEGIN_ERROR));
}

static void line_txn_offsets(struct line *l)
{
    buf_puts(&l->what, "offsets");
    if (INT(H_TXN_OFFSETS_PARTITION) >= 0) {
        line_put_record(&l->text, STR(H_TXN_OFFSETS_TOPIC), INT(H_TXN_OFFSETS_PARTITION), -1, -1);
        buf_printf(&l->text, " to %lld", (long long)INT(H_TXN_OFFSETS_OFFSET));
        line_put_txn(&l->note, INT(H_TXN_OFFSETS_TXN));
    } else {
        line_put_txn(&l->text, INT(H_TXN_OFFSETS_TXN));
        line_put_outcome(l, STR(H_TXN_OFFSETS_ERROR));
    }
}

static void line_txn_commit(struct line *l)
{
    buf_puts(&l->what, "commit");
    line_put_txn(&l->text, INT(H_TXN_COMMIT_TXN));
    line_put_outcome(l, STR(H_TXN_COMMIT_ERROR));
}

static void line_txn_abort(struct line *l)
{
    buf_puts(&l->what, "abort");
    line_put_txn(&l->text, INT(H_TXN_ABORT_TXN));
    line_put_outcome(l, STR(H_TXN_ABORT_ERROR));
    buf_puts(&l->note, STR(H_TXN_ABORT_WHY));
}

static void line_assign(struct line *l)
{
    buf_puts(&l->what, "assign");
    if (INT(H_ASSIGN_PARTITION) < 0) {
        buf_puts(&l->text, "nothing");
    } else {
        line_put_record(&l->text, STR(H_ASSIGN_TOPIC), INT(H_ASSIGN_PARTITION),
                        INT(H_ASSIGN_OFFSET), -1);
    }
    if (INT(H_ASSIGN_GENERATION) >= 0) {
        buf_printf(&l->note, "%s generation %lld", STR(H_ASSIGN_GROUP),
                   (long long)INT(H_ASSIGN_GENERATION));
    }
}

static void line_revoke(struct line *l)
{
    buf_puts(&l->what, INT(H_REVOKE_LOST) > 0 ? "lost" : "revoke");
    line_put_record(&l->text, STR(H_REVOKE_TOPIC), INT(H_REVOKE_PARTITION), -1, -1);
}

static void line_commit(struct line *l)
{
    buf_puts(&l->what, "commit");
    if (INT(H_COMMIT_PARTITION) >= 0) {
        line_put_record(&l->text, STR(H_COMMIT_TOPIC), INT(H_COMMIT_PARTITION), -1, -1);
        buf_printf(&l->text, " to %lld", (long long)INT(H_COMMIT_OFFSET));
    } else {
        buf_puts(&l->text, "offsets");
    }
    line_put_outcome(l, STR(H_COMMIT_ERROR));
    buf_puts(&l->note, "not in a transaction");
}

static void line_seek(struct line *l)
{
    buf_puts(&l->what, "seek");
    line_put_record(&l->text, STR(H_SEEK_TOPIC), INT(H_SEEK_PARTITION), -1, -1);
    buf_printf(&l->text, " from %lld to %lld", (long long)INT(H_SEEK_FROM),
               (long long)INT(H_SEEK_OFFSET));
    buf_puts(&l->note, STR(H_SEEK_WHY));
}

static void line_flow(struct line *l)
{
    buf_puts(&l->what, INT(H_FLOW_PAUSED) ? "hold" : "go on");
    line_put_record(&l->text, STR(H_FLOW_TOPIC), INT(H_FLOW_PARTITION), -1, -1);
}

static void line_emit(struct line *l)
{
    buf_puts(&l->what, "emit");
    buf_printf(&l->text, "%s ", STR(H_EMIT_KIND));
    line_put_bytes(&l->text, l->ev, H_EMIT_FIELDS);
    line_put_txn(&l->note, INT(H_EMIT_TXN));
}

static void line_log(struct line *l)
{
    buf_puts(&l->what, "log");
    line_put_bytes(&l->text, l->ev, H_LOG_TEXT);
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
    line_put_bytes(&l->text, l->ev, H_ASSERT_DETAILS);
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
    line_put_record(&l->text, STR(H_DRAW_TOPIC), INT(H_DRAW_PARTITION), INT(H_DRAW_OFFSET), -1);
    buf_printf(&l->text, ", delivery %lld", (long long)INT(H_DRAW_DELIVERY));
    line_put_fault(&l->note, INT(H_DRAW_FAULT));
}

static void line_crash(struct line *l)
{
    l->death = true;
    buf_puts(&l->what, "crash");
    buf_printf(&l->text, "%s  ", STR(H_CRASH_POINT));
    if (STR(H_CRASH_TOPIC)[0]) {
        line_put_record(&l->text, STR(H_CRASH_TOPIC), INT(H_CRASH_PARTITION), INT(H_CRASH_OFFSET),
                        -1);
    }
    line_put_txn(&l->note, INT(H_CRASH_TXN));
    line_put_fault(&l->note, INT(H_CRASH_FAULT));
}

static void line_error(struct line *l)
{
    l->death = true;
    buf_puts(&l->what, "error");
    buf_printf(&l->text, "%s ", STR(H_ERROR_CODE));
    line_put_bytes(&l->text, l->ev, H_ERROR_MESSAGE);
    buf_puts(&l->note, STR(H_ERROR_WHERE));
}

static void line_returned(struct line *l)
{
    buf_puts(&l->what, "return");
    buf_puts(&l->text, STR(H_RETURNED_WHY));
}

const line_fn lines_role[H_NKINDS] = {
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
};
