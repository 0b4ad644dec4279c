/* SPDX-License-Identifier: Apache-2.0 */
/* atomic: a transaction is (transactional id, incarnation, number), told by the header of its
 * records and by the events of its process; never by producer id and epoch alone. The log decides
 * its outcome, what the client reported is compared with that. Offsets in a transaction carry no
 * header: they are matched by group, partition and value, and counted, so that no pairing has to be
 * guessed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/anomaly.h"

static void add_records(struct anomaly *a, const struct m_txn *t)
{
    enum { SHOWN = 200 };
    /* the rarer outcome first: it is the smaller evidence */
    int rare = t->committed <= t->aborted ? OUT_COMMITTED : OUT_ABORTED;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < t->records.n && a->records.n < SHOWN; i++) {
            const struct m_record *r = t->records.items[i];
            if ((r->outcome == rare) == (turn == 0)) {
                anomaly_record(a, r->part, r->offset);
            }
        }
    }
    for (size_t i = 0; i < t->records.n && i < 4; i++) {
        anomaly_event(a, t->records.items[i]->ev);
    }
}

static struct anomaly *add(struct judge *j, const char *kind, struct m_txn *t)
{
    struct anomaly *a = anomaly_add(j, kind);
    if (a) {
        a->id = txn_name(j, t);
        a->t = txn_end_time(t);
        anomaly_txn(a, t);
    }
    return a;
}

static void judge_torn(struct judge *j, struct m_txn *t)
{
    bool stuck = t->open > 0 && t->committed > 0 && j->drained;
    if (t->committed == 0 || (t->aborted == 0 && !stuck)) {
        return;
    }
    struct anomaly *a = add(j, "torn_transaction", t);
    if (a) {
        add_records(a, t);
        a->text = JTEXT(j, "%lld records are committed, %lld aborted, %lld open",
                        (long long)t->committed, (long long)t->aborted, (long long)t->open);
    }
}

static bool said(const struct event *done, int phase)
{
    return done && done->phase == phase;
}

/* Errors after which a commit may have been applied all the same. */
static bool ambiguous(const char *code)
{
    static const char *const codes[] = {"FENCED",  "EPOCH", "INVALID_TXN_STATE", "TIMED_OUT",
                                        "TIMEOUT", "STATE", "TRANSPORT",         "NETWORK"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strstr(code, codes[i])) {
            return true;
        }
    }
    return !*code;
}

static void judge_reported(struct judge *j, struct m_txn *t)
{
    if (said(t->commit_done, HP_OK) && t->aborted > 0 && t->committed == 0) {
        struct anomaly *a = add(j, "false_ok", t);
        if (a) {
            add_records(a, t);
            a->text = JTEXT(j, "the commit was reported ok, the log aborted its %lld records",
                            (long long)t->aborted);
        }
    }
    bool failed =
        said(t->commit_done, HP_FAIL) && !ambiguous(event_str(t->commit_done, H_TXN_COMMIT_ERROR));
    bool aborted = said(t->abort_done, HP_OK);
    if (t->committed > 0 && t->aborted == 0 && !said(t->commit_done, HP_OK) &&
        (failed || aborted)) {
        struct anomaly *a = add(j, "false_fail", t);
        if (a) {
            add_records(a, t);
            a->text = JTEXT(j, "the %s, the log committed its %lld records",
                            aborted ? "abort was reported ok" : "commit was reported as failed",
                            (long long)t->committed);
        }
    }
}

/* ---- a commit that is ok while one of its sends is absent ---- */

static bool readable(const struct m_topic *t, const struct m_ack *ack, int64_t offset)
{
    for (size_t i = 0; i < t->parts.n; i++) {
        const struct m_part *p = t->parts.items[i];
        if (!p || !p->audited || !p->complete || p->compacted || p->log_start > 0) {
            if (!p || !ack || ack->part == p) {
                return false;
            }
        }
    }
    return t->parts.n > 0 && (!ack || !ack->part || offset < 0 || offset >= ack->part->log_start);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void absent(struct judge *j, struct m_txn *t, const struct m_send *s, int64_t seq)
{
    const struct m_ack *ack = model_ack(t->proc, seq);
    if (ack && ack->phase == HP_FAIL) {
        return; /* the application was told, and went on */
    }
    int64_t at =
        ack && ack->phase == HP_OK && ack->offset >= 0 ? ack->offset + (seq - ack->seq) : -1;
    if (!readable(s->topic, ack, at)) {
        return;
    }
    struct anomaly *a = add(j, "false_ok", t);
    if (!a) {
        return;
    }
    anomaly_event(a, s->ev);
    anomaly_event(a, ack ? ack->ev : NULL);
    if (at >= 0 && ack->part) {
        anomaly_record(a, ack->part, at);
        a->text = JTEXT(j, "the commit was reported ok, and %s (seq %lld) is not in the log",
                        record_name(j->pool, ack->part, at), (long long)seq);
    } else {
        a->text = JTEXT(j,
                        "the commit was reported ok, and a record sent to %s (seq %lld) is not "
                        "in the log",
                        s->topic->name, (long long)seq);
    }
    if (s->src) {
        anomaly_source(a, s->src, s->src_offset + (seq - s->seq));
    }
}

static void judge_absent(struct judge *j, struct m_txn *t)
{
    if (!said(t->commit_done, HP_OK) || t->aborted > 0 || t->sends <= 0 ||
        (int64_t)t->records.n >= t->sends || !j->audited) {
        return;
    }
    int64_t *seqs = xcalloc(t->records.n + 1, sizeof *seqs);
    for (size_t i = 0; i < t->records.n; i++) {
        seqs[i] = t->records.items[i]->seq;
    }
    qsort(seqs, t->records.n, sizeof *seqs, by_number);
    const struct m_proc *p = t->proc;
    for (size_t i = 0; i < p->sends.n; i++) {
        const struct m_send *s = &p->sends.items[i];
        for (int64_t k = 0; s->txn == t && k < s->count; k++) {
            int64_t seq = s->seq + k;
            if (!bsearch(&seq, seqs, t->records.n, sizeof *seqs, by_number)) {
                absent(j, t, s, seq);
            }
        }
    }
    free(seqs);
}

/* ---- offsets against outputs ---- */

struct offset_row { /**< a claim or an offset record, by what they have in common */
    struct m_group *group;
    struct m_part *part;
    int64_t offset;
    struct m_claim *claim;   /**< or */
    struct m_logoff *record; /**< */
};
struct offset_rows {
    struct offset_row *items;
    size_t n, cap;
};

static int by_offset_row(const void *a, const void *b)
{
    const struct offset_row *x = a, *y = b;
    int c = strcmp(x->group->name, y->group->name);
    c = c ? c : strcmp(x->part->topic->name, y->part->topic->name);
    c = c ? c : x->part->number - y->part->number;
    if (c != 0) {
        return c;
    }
    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    const struct event *p = x->claim ? x->claim->ev : x->record->ev;
    const struct event *q = y->claim ? y->claim->ev : y->record->ev;
    return p < q ? -1 : p > q;
}

static bool same_key(const struct offset_row *x, const struct offset_row *y)
{
    return x->group == y->group && x->part == y->part && x->offset == y->offset;
}

struct tally {         /**< of one (group, partition, offset) and one (producer id, epoch) */
    int64_t records;   /**< offset records that are committed */
    int64_t waiting;   /**< or still open */
    int64_t committed; /**< transactions that claim it and are committed */
    int64_t sure;      /**< of these, those whose send_offsets was answered ok */
    int64_t wild;      /**< transactions that may be of this producer, and committed */
    struct m_txn *aborted, *last;
    struct m_claim *claim;
};

static void tally_claim(struct tally *t, struct m_claim *c, int64_t pid, int32_t epoch)
{
    struct m_txn *x = c->txn;
    if (x->pid < 0) {
        t->wild += txn_committed(x) != 0;
        return;
    }
    if (x->pid != pid || x->epoch != epoch) {
        return;
    }
    if (x->committed > 0) {
        t->committed++;
        t->sure += c->phase == HP_OK && x->aborted == 0;
        t->last = x;
        t->claim = c;
    } else if (x->aborted > 0) {
        t->aborted = x;
    } else {
        t->wild++;
    }
}

static void report(struct judge *j, const struct offset_row *key, const struct tally *t)
{
    const char *what = JTEXT(j, "offset %lld of %s[%d] in group %s", (long long)key->offset,
                             key->part->topic->name, (int)key->part->number, key->group->name);
    if (t->aborted && t->records > t->committed + t->wild) {
        struct anomaly *a = add(j, "offsets_without_output", t->aborted);
        if (a) {
            a->group = key->group;
            add_records(a, t->aborted);
            anomaly_record(a, key->part, key->offset - 1);
            a->text = JTEXT(j, "%s is committed, the records of its transaction are aborted", what);
        }
    }
    if (t->last && t->sure > t->records + t->waiting && j->m->internal_read && j->drained) {
        struct anomaly *a = add(j, "output_without_offsets", t->last);
        if (a) {
            a->group = key->group;
            add_records(a, t->last);
            anomaly_event(a, t->claim->ev);
            anomaly_record(a, key->part, key->offset - 1);
            a->text = JTEXT(j, "the records of the transaction are committed, %s is not", what);
        }
    }
}

/* All rows of one key: once for each producer that occurs in them. */
static void judge_key(struct judge *j, const struct offset_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t pid = rows[i].record ? rows[i].record->pid : rows[i].claim->txn->pid;
        int32_t epoch = rows[i].record ? rows[i].record->epoch : rows[i].claim->txn->epoch;
        bool seen = pid < 0;
        for (size_t k = 0; k < i && !seen; k++) {
            seen = rows[k].record
                       ? rows[k].record->pid == pid && rows[k].record->epoch == epoch
                       : rows[k].claim->txn->pid == pid && rows[k].claim->txn->epoch == epoch;
        }
        if (seen) {
            continue;
        }
        struct tally t = {0};
        for (size_t k = 0; k < n; k++) {
            if (rows[k].claim) {
                tally_claim(&t, rows[k].claim, pid, epoch);
            } else if (rows[k].record->pid == pid && rows[k].record->epoch == epoch) {
                t.records += rows[k].record->outcome == OUT_COMMITTED;
                t.waiting += rows[k].record->outcome == OUT_OPEN;
            }
        }
        report(j, &rows[i], &t);
    }
}

static void judge_offsets(struct judge *j)
{
    const struct model *m = j->m;
    struct offset_rows rows = {0};
    for (size_t i = 0; i < m->claims.n; i++) {
        struct m_claim *c = m->claims.items[i];
        *VEC_PUSH(&rows) = (struct offset_row){c->group, c->part, c->offset, c, NULL};
    }
    for (size_t i = 0; i < m->groups.n && m->claims.n > 0; i++) {
        for (size_t k = 0; k < m->groups.items[i]->offsets.n; k++) {
            struct m_logoff *o = m->groups.items[i]->offsets.items[k];
            if (o->pid >= 0 && o->outcome != OUT_PLAIN) {
                *VEC_PUSH(&rows) = (struct offset_row){o->group, o->part, o->offset, NULL, o};
            }
        }
    }
    if (rows.n) {
        qsort(rows.items, rows.n, sizeof *rows.items, by_offset_row);
    }
    for (size_t i = 0; i < rows.n;) {
        size_t n = 1;
        while (i + n < rows.n && same_key(&rows.items[i], &rows.items[i + n])) {
            n++;
        }
        judge_key(j, &rows.items[i], n);
        i += n;
    }
    free(rows.items);
}

static bool concerns(const struct m_txn *t, const struct plan_pred *pred)
{
    if (!pred || !pred->topic) {
        return true;
    }
    for (size_t i = 0; i < t->records.n; i++) {
        if (strcmp(t->records.items[i]->part->topic->name, pred->topic) == 0) {
            return true;
        }
    }
    return false;
}

void check_atomic(struct judge *j, const struct plan_pred *pred, struct eval *out)
{
    for (size_t i = 0; i < j->m->txns.n; i++) {
        struct m_txn *t = j->m->txns.items[i];
        if (!concerns(t, pred) || (t->records.n == 0 && t->claims.n == 0)) {
            continue;
        }
        out->judged++;
        judge_torn(j, t);
        judge_reported(j, t);
        judge_absent(j, t);
    }
    judge_offsets(j);
    out->detail = JTEXT(j, "%lld transactions judged", (long long)out->judged);
    if (!j->audited) {
        out->unknown = "the audit is not complete";
    }
}
