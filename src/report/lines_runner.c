/* SPDX-License-Identifier: Apache-2.0 */
/* Printers of what the runner and the audit write. */
#include <signal.h>
#include <string.h>

#include "report/line.h"

static void line_phase(struct line *l)
{
    buf_puts(&l->what, "phase");
    buf_puts(&l->text, STR(H_PHASE_NAME));
    buf_puts(&l->note, STR(H_PHASE_DETAIL));
}

static void line_spawn(struct line *l)
{
    line_who(l, STR(H_SPAWN_ROLE), INT(H_SPAWN_INDEX), INT(H_SPAWN_INCARNATION));
    buf_puts(&l->what, "start");
    buf_printf(&l->text, "%s, pid %lld", STR(H_SPAWN_WHY), (long long)INT(H_SPAWN_PID));
}

static void line_exit(struct line *l)
{
    const char *why = STR(H_EXIT_WHY);
    line_who(l, STR(H_EXIT_ROLE), INT(H_EXIT_INDEX), INT(H_EXIT_INCARNATION));
    l->death = strcmp(why, "returned") != 0 && strcmp(why, "stopped") != 0;
    buf_puts(&l->what, "exit");
    buf_puts(&l->text, why);
    if (INT(H_EXIT_SIGNAL) > 0) {
        buf_printf(&l->text, ", signal %lld", (long long)INT(H_EXIT_SIGNAL));
    } else {
        buf_printf(&l->text, ", code %lld", (long long)INT(H_EXIT_CODE));
    }
    line_put_fault(&l->note, INT(H_EXIT_FAULT));
}

static void line_signal(struct line *l)
{
    int64_t n = INT(H_SIGNAL_SIGNUM);
    line_who(l, STR(H_SIGNAL_ROLE), INT(H_SIGNAL_INDEX), INT(H_SIGNAL_INCARNATION));
    buf_puts(&l->what, n == SIGSTOP ? "pause" : n == SIGCONT ? "resume" : "signal");
    buf_printf(&l->text, "signal %lld%s", (long long)n,
               INT(H_SIGNAL_CONFIRMED) ? "" : ", effect not seen");
    line_put_fault(&l->note, INT(H_SIGNAL_FAULT));
}

static void line_fault(struct line *l)
{
    buf_puts(&l->what, "fault");
    buf_printf(&l->text, "%s %s #%lld %s", STR(H_FAULT_KIND), STR(H_FAULT_EDGE),
               (long long)INT(H_FAULT_NUMBER), STR(H_FAULT_TARGET));
    buf_puts(&l->note, STR(H_FAULT_DETAIL));
    line_put_fault(&l->note, INT(H_FAULT_FAULT));
}

static void line_node(struct line *l)
{
    l->who.len = 0;
    buf_printf(&l->who, "broker %lld", (long long)INT(H_NODE_NODE));
    l->death = strcmp(STR(H_NODE_WHAT), "down") == 0;
    buf_puts(&l->what, STR(H_NODE_WHAT));
    line_put_fault(&l->note, INT(H_NODE_FAULT));
}

static void line_group(struct line *l)
{
    line_group_who(l, STR(H_GROUP_GROUP));
    buf_puts(&l->what, "group");
    buf_printf(&l->text, "%s, %lld members", STR(H_GROUP_STATE), (long long)INT(H_GROUP_MEMBERS));
}

static void line_committed(struct line *l)
{
    line_group_who(l, STR(H_COMMITTED_GROUP));
    buf_puts(&l->what, "committed");
    line_put_record(&l->text, STR(H_COMMITTED_TOPIC), INT(H_COMMITTED_PARTITION),
                    INT(H_COMMITTED_OFFSET), -1);
    buf_puts(&l->note, INT(H_COMMITTED_STABLE) ? "" : "a transaction is pending on it");
}

static void line_harness(struct line *l)
{
    buf_puts(&l->what, "harness");
    buf_puts(&l->text, STR(H_HARNESS_WHAT));
    buf_puts(&l->note, STR(H_HARNESS_DETAIL));
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
    line_put_record(&l->text, STR(H_LOG_RECORD_TOPIC), INT(H_LOG_RECORD_PARTITION),
                    INT(H_LOG_RECORD_OFFSET), -1);
    if (STR(H_LOG_RECORD_ROLE)[0]) {
        buf_puts(&l->text, " of ");
        names_put(&l->text, l->ns, STR(H_LOG_RECORD_ROLE), INT(H_LOG_RECORD_INDEX),
                  INT(H_LOG_RECORD_INCARNATION));
        buf_printf(&l->text, " seq %lld", (long long)INT(H_LOG_RECORD_SEQ));
    }
    buf_puts(&l->note, line_outcome(INT(H_LOG_RECORD_OUTCOME)));
    line_put_txn(&l->note, STR(H_LOG_RECORD_TXN_ID)[0] ? INT(H_LOG_RECORD_TXN) : -1);
}

static void line_log_control(struct line *l)
{
    log_time(l, INT(H_LOG_CONTROL_TIMESTAMP));
    buf_puts(&l->what, "marker");
    line_put_record(&l->text, STR(H_LOG_CONTROL_TOPIC), INT(H_LOG_CONTROL_PARTITION),
                    INT(H_LOG_CONTROL_OFFSET), -1);
    buf_printf(&l->text, " %s", INT(H_LOG_CONTROL_TYPE) == 1 ? "commit" : "abort");
    buf_printf(&l->note, "producer %lld epoch %lld", (long long)INT(H_LOG_CONTROL_PID),
               (long long)INT(H_LOG_CONTROL_EPOCH));
}

static void line_log_offset(struct line *l)
{
    log_time(l, INT(H_LOG_OFFSET_TIMESTAMP));
    line_group_who(l, STR(H_LOG_OFFSET_GROUP));
    buf_puts(&l->what, "offset");
    line_put_record(&l->text, STR(H_LOG_OFFSET_TOPIC), INT(H_LOG_OFFSET_PARTITION), -1, -1);
    buf_printf(&l->text, " to %lld", (long long)INT(H_LOG_OFFSET_OFFSET));
    buf_puts(&l->note, line_outcome(INT(H_LOG_OFFSET_OUTCOME)));
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
    line_put_record(&l->text, STR(H_OPEN_TXN_TOPIC), INT(H_OPEN_TXN_PARTITION),
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
    line_group_who(l, STR(H_PROBE_GROUP));
    buf_puts(&l->what, "probe");
    buf_printf(&l->text, "%lld records added", (long long)INT(H_PROBE_ADDED));
    buf_puts(&l->note, STR(H_PROBE_DETAIL));
}

const line_fn lines_runner[H_NKINDS] = {
    [H_PHASE] = line_phase,   [H_SPAWN] = line_spawn,         [H_EXIT] = line_exit,
    [H_SIGNAL] = line_signal, [H_FAULT] = line_fault,         [H_NODE] = line_node,
    [H_GROUP] = line_group,   [H_COMMITTED] = line_committed, [H_HARNESS] = line_harness,
};

const line_fn lines_log[H_NKINDS] = {
    [H_LOG_RECORD] = line_log_record, [H_LOG_CONTROL] = line_log_control,
    [H_LOG_OFFSET] = line_log_offset, [H_LOG_TXN] = line_log_txn,
    [H_OPEN_TXN] = line_open_txn,     [H_AUDIT] = line_audit,
    [H_PROBE] = line_probe,
};
