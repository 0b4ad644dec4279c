/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of blame that a history without wire events can decide: harness, broker, protocol,
 * application, configuration. A rule matches only on recorded facts; a transaction whose events are
 * incomplete proves nothing. */
#include <string.h>

#include "base/mem.h"
#include "check/blame.h"

enum {
    R_HARNESS = 1,
    R_BROKER = 2,
    R_PROTOCOL = 4,
    R_APPLICATION = BLAME_ROW_APPLICATION,
    R_CLIENT_SIDE = 7,
    R_CONFIG = 8,
    R_NONE = 10
};

const char *blame_row_text(int row)
{
    static const char *const rows[] = {
        [0] = "",
        [R_HARNESS] = "the history or the audit is incomplete, or kaos itself interfered",
        [R_BROKER] = "the log breaks its own rules",
        [3] = "an answer of the broker contradicts the log",
        [R_PROTOCOL] = "a late request of one transaction took effect in the next",
        [5] = "the wire is right and the result of the client's call differs",
        [R_APPLICATION] = "the calls of the application break the contract",
        [R_CLIENT_SIDE] = "the requests of a program break the contract",
        [R_CONFIG] = "the declared configuration gives up the promise",
        [9] = "a correct worker fails likewise in the same schedule",
        [R_NONE] = "no rule matched",
    };
    return row >= 0 && row < (int)ARRAY_LEN(rows) ? rows[row] : "";
}

static bool is(const struct anomaly *a, const char *kind)
{
    return strcmp(a->kind->name, kind) == 0;
}

static bool put(struct anomaly *a, enum finding_blame blame, int row, const char *cause)
{
    a->blame = blame;
    a->row = row;
    a->cause = cause;
    return true;
}

/* ---- row 8 ---- */

static bool weak_acks(const struct anomaly *a)
{
    for (size_t i = 0; i < a->procs.n; i++) {
        if (a->procs.items[i]->weak_acks) {
            return true;
        }
    }
    return false;
}

/* The first offset that the group committed lies behind the lost record, and its reader starts at
 * the end of the log where there is none. */
static bool reset_to_end(struct judge *j, struct anomaly *a)
{
    if (!is(a, "lost") || !a->in || !a->group || !j->m->internal_read) {
        return false;
    }
    for (size_t i = 0; i < a->group->offsets.n; i++) {
        const struct m_logoff *o = a->group->offsets.items[i];
        if (o->part == a->in && outcome_visible(o->outcome) && o->offset <= a->in_offset) {
            return false;
        }
    }
    for (size_t i = 0; i < a->in->delivers.n; i++) {
        const struct m_deliver *d = a->in->delivers.items[i];
        if (d->group == a->group && d->proc->latest) {
            a->hint = "start at the beginning: auto.offset.reset = earliest";
            return put(a, BLAME_CONFIGURATION, R_CONFIG,
                       JTEXT(j, "auto.offset.reset of %s is latest, and group %s had no offset",
                             d->proc->name, a->group->name));
        }
    }
    return false;
}

static bool unclean(const struct judge *j)
{
    const char *set = plan_conf_get(&j->plan->cluster_config, "unclean.leader.election.enable");
    for (size_t i = 0; i < j->plan->topics.n && !set; i++) {
        set = plan_conf_get(&j->plan->topics.items[i].config, "unclean.leader.election.enable");
    }
    return set && strcmp(set, "true") == 0;
}

/* ---- row 2 ---- */

static bool log_rules(struct judge *j, struct anomaly *a)
{
    if (is(a, "phantom_ack") && unclean(j)) {
        return put(a, BLAME_CONFIGURATION, R_CONFIG, "unclean leader election is allowed");
    }
    if (is(a, "crossed_request")) {
        return put(a, BLAME_PROTOCOL, R_PROTOCOL, "a request of an ended transaction was accepted");
    }
    if (is(a, "sequence_gap")) {
        return false;
    }
    if (a->kind->rank <= 4 || is(a, "hanging_transaction")) {
        return put(a, BLAME_BROKER, R_BROKER, a->text);
    }
    return false;
}

/* ---- row 6: isolation ---- */

static bool isolation(struct judge *j, struct anomaly *a)
{
    if (!a->deliver || a->deliver->read_committed) {
        return false;
    }
    a->hint = "read with isolation = \"read_committed\"";
    return put(a, BLAME_APPLICATION, R_APPLICATION,
               JTEXT(j, "%s reads %s with read_uncommitted", a->deliver->proc->name,
                     a->deliver->part->topic->name));
}

/* The record `in` was never committed, and was read with read_uncommitted. */
static bool read_anyway(struct judge *j, struct anomaly *a, struct m_part *in, int64_t offset)
{
    const struct m_record *r = in ? part_record(in, offset) : NULL;
    if (!r || outcome_visible(r->outcome)) {
        return false;
    }
    for (size_t i = part_deliver_from(in, offset); i < in->delivers.n; i++) {
        struct m_deliver *d = in->delivers.items[i];
        if (d->first > offset) {
            break;
        }
        if (d->last >= offset && !d->read_committed) {
            a->deliver = d;
            return isolation(j, a);
        }
    }
    return false;
}

/* An effect without an input, or one too many: made from a record that was never committed. */
static bool made_by_isolation(struct judge *j, struct anomaly *a)
{
    if (is(a, "invented")) {
        return read_anyway(j, a, a->in, a->in_offset);
    }
    for (size_t i = 0; i < a->records.n && is(a, "duplicate"); i++) {
        const struct m_record *r =
            part_record(a->records.items[i].part, a->records.items[i].offset);
        if (r && r->src && outcome_visible(r->outcome) &&
            read_anyway(j, a, r->src, r->src_offset)) {
            return true;
        }
    }
    return false;
}

/* ---- row 6: loss ---- */

/* The process went on behind an aborted transaction without going back to its first record. */
static bool no_rewind(struct judge *j, struct anomaly *a)
{
    for (size_t i = part_deliver_from(a->in, a->in_offset); i < a->in->delivers.n; i++) {
        const struct m_deliver *d = a->in->delivers.items[i];
        if (d->first > a->in_offset) {
            break;
        }
        const struct event *gone = d->txn ? d->txn->abort_done : NULL;
        if (d->last < a->in_offset || !gone || gone->phase != HP_OK || txn_committed(d->txn) != 0) {
            continue;
        }
        bool back = false;
        for (size_t k = 0; k < d->proc->seeks.n; k++) {
            const struct event *ev = d->proc->seeks.items[k];
            back =
                back || (ev->seq > d->ev->seq && event_int(ev, H_SEEK_PARTITION) == a->in->number &&
                         strcmp(event_str(ev, H_SEEK_TOPIC), a->in->topic->name) == 0 &&
                         event_int(ev, H_SEEK_OFFSET) <= a->in_offset);
        }
        for (size_t k = 0; k < d->proc->delivers.n && !back; k++) {
            const struct m_deliver *next = d->proc->delivers.items[k];
            if (next->part != a->in || next->ev->seq < gone->seq ||
                next->assignment != d->assignment) {
                continue;
            }
            if (next->first > a->in_offset) {
                anomaly_event(a, gone);
                anomaly_event(a, next->ev);
                a->hint = "go back to the committed offsets after an abort";
                return put(a, BLAME_APPLICATION, R_APPLICATION,
                           JTEXT(j, "%s was aborted, and %s read on at %s without going back",
                                 txn_name(j, d->txn), d->proc->name,
                                 record_name(j->pool, a->in, next->first)));
            }
            break;
        }
    }
    return false;
}

/* A black box between the two ends: what it did is known from the log alone, and whether it is the
 * application's or its library's doing is not. */
static const struct plan_role *program_of(const struct judge *j, const struct m_group *g)
{
    for (size_t i = 0; g && i < j->plan->roles.n; i++) {
        if (plan_strings_has(&j->plan->roles.items[i].groups, g->name)) {
            return &j->plan->roles.items[i];
        }
    }
    return NULL;
}

static bool auto_commit(const struct judge *j, const struct m_part *in)
{
    for (size_t i = 0; i < in->delivers.n; i++) {
        const struct plan_role *r = plan_role(j->plan, in->delivers.items[i]->proc->role);
        const char *set = r ? plan_conf_get(&r->conf, "enable.auto.commit") : NULL;
        if (set && strcmp(set, "true") == 0) {
            return true;
        }
    }
    return false;
}

/* An offset past the input was committed outside any transaction. */
static bool plain_commit(struct judge *j, struct anomaly *a)
{
    const struct m_commit *by = NULL;
    for (size_t i = 0; i < j->m->commits.n && !by; i++) {
        const struct m_commit *c = j->m->commits.items[i];
        by = c->part == a->in && c->offset > a->in_offset && c->phase != HP_FAIL ? c : NULL;
    }
    if (by) {
        anomaly_event(a, by->ev);
        a->hint = "commit offsets in the transaction, or after the effects are acknowledged";
        return put(a, BLAME_APPLICATION, R_APPLICATION,
                   JTEXT(j, "%s committed offset %lld of %s[%d] outside a transaction",
                         by->proc->name, (long long)by->offset, a->in->topic->name,
                         (int)a->in->number));
    }
    const struct m_logoff *o = NULL;
    for (size_t i = 0; a->group && i < a->group->offsets.n && !o; i++) {
        const struct m_logoff *x = a->group->offsets.items[i];
        o = x->part == a->in && x->offset > a->in_offset && x->outcome == OUT_PLAIN ? x : NULL;
    }
    if (!o && !auto_commit(j, a->in)) {
        return false;
    }
    if (!o) {
        return false;
    }
    anomaly_event(a, o->ev);
    a->hint = "switch enable.auto.commit off and commit offsets yourself";
    if (program_of(j, a->group)) {
        return put(a, BLAME_CLIENT_SIDE, R_CLIENT_SIDE,
                   JTEXT(j,
                         "the program of role %s committed offset %lld of %s[%d] outside a "
                         "transaction",
                         program_of(j, a->group)->name, (long long)o->offset, a->in->topic->name,
                         (int)a->in->number));
    }
    return put(a, BLAME_APPLICATION, R_APPLICATION,
               JTEXT(j, "offset %lld of %s[%d] was committed outside a transaction%s",
                     (long long)o->offset, a->in->topic->name, (int)a->in->number,
                     auto_commit(j, a->in) ? ", by auto-commit" : ""));
}

/* ---- row 6: duplicates ---- */

static const struct m_claim *claim_on(const struct m_txn *t, const struct m_part *p)
{
    for (size_t i = 0; i < t->claims.n; i++) {
        if (t->claims.items[i]->part == p) {
            return t->claims.items[i];
        }
    }
    return NULL;
}

static const struct m_deliver *delivery_in(const struct m_txn *t, const struct m_part *p,
                                           int64_t offset)
{
    const struct m_deliver *plain = NULL;
    for (size_t i = part_deliver_from(p, offset); i < p->delivers.n; i++) {
        const struct m_deliver *d = p->delivers.items[i];
        if (d->first > offset) {
            break;
        }
        if (d->last >= offset && d->proc == t->proc) {
            if (d->txn == t) {
                return d;
            }
            plain = d;
        }
    }
    return plain && !plain->txn ? plain : NULL;
}

/* The generation under which a partition was assigned. */
static int64_t generation_of(const struct m_group *g, const struct m_deliver *d)
{
    for (size_t i = 0; g && i < g->assigns.n; i++) {
        const struct m_assign *x = g->assigns.items[i];
        if (x->given && x->proc == d->proc && x->assignment == d->assignment &&
            (x->part == d->part || !x->part)) {
            return x->generation;
        }
    }
    return -1;
}

static bool later_metadata(struct judge *j, struct anomaly *a, const struct m_txn *t)
{
    const struct m_claim *c = claim_on(t, a->in);
    const struct m_deliver *d = c ? delivery_in(t, a->in, a->in_offset) : NULL;
    if (!d) {
        return false;
    }
    int64_t then = generation_of(c->group, d);
    bool later = c->assignment > d->assignment && d->assignment >= 0;
    later = later || (then >= 0 && c->generation > then && d->assignment == c->assignment);
    if (!later) {
        return false;
    }
    anomaly_event(a, c->ev);
    a->hint = "take the group metadata together with the records, before a rebalance can come";
    return put(a, BLAME_APPLICATION, R_APPLICATION,
               JTEXT(j,
                     "%s gave offsets with group metadata of a later assignment than that of its "
                     "records",
                     txn_name(j, t)));
}

static bool one_output(struct judge *j, struct anomaly *a, const struct m_record *r)
{
    const char *name = record_name(j->pool, r->part, r->offset);
    if (!r->proc) {
        return false;
    }
    if (r->outcome == OUT_PLAIN) {
        a->hint = "send the output inside the transaction";
        return put(a, BLAME_APPLICATION, R_APPLICATION,
                   JTEXT(j, "%s was sent outside a transaction", name));
    }
    if (!r->txn || !r->txn->begin) {
        return false;
    }
    const struct m_claim *c = claim_on(r->txn, a->in);
    if (!c && r->txn->commit) {
        a->hint = "send the offsets to the transaction before its commit";
        return put(a, BLAME_APPLICATION, R_APPLICATION,
                   JTEXT(j,
                         "%s holds %s and no offset of %s[%d]: records and offsets were not in "
                         "one transaction",
                         txn_name(j, r->txn), name, a->in->topic->name, (int)a->in->number));
    }
    if (c && c->offset <= a->in_offset) {
        anomaly_event(a, c->ev);
        a->hint = "commit the offset of the next record to read: offset + 1";
        return put(a, BLAME_APPLICATION, R_APPLICATION,
                   JTEXT(j, "%s holds %s and gave offset %lld of %s[%d], which does not pass it",
                         txn_name(j, r->txn), name, (long long)c->offset, a->in->topic->name,
                         (int)a->in->number));
    }
    return later_metadata(j, a, r->txn);
}

static bool resent(struct judge *j, struct anomaly *a, const struct m_record *x,
                   const struct m_record *y)
{
    if (x->proc != y->proc || !x->proc || x->seq == y->seq) {
        return false;
    }
    const struct m_record *first = x->seq < y->seq ? x : y;
    const struct m_ack *ack = model_ack(first->proc, first->seq);
    if (ack && ack->phase == HP_OK) {
        return false;
    }
    return put(a, BLAME_APPLICATION, R_APPLICATION,
               JTEXT(j, "%s sent it again after a send of unknown outcome", first->proc->name));
}

/* The outputs stand in transactions that are not of our roles, and the program that reads the input
 * has committed its offsets outside of any. */
static bool offsets_apart(struct judge *j, struct anomaly *a)
{
    for (size_t i = 0; i < a->records.n; i++) {
        const struct anomaly_record *at = &a->records.items[i];
        const struct m_record *r = part_record(at->part, at->offset);
        if (at->part != a->in && (!r || r->proc || r->outcome != OUT_COMMITTED)) {
            return false;
        }
    }
    for (size_t g = 0; g < j->m->groups.n && j->m->internal_read; g++) {
        struct m_group *group = j->m->groups.items[g];
        const struct plan_role *program = program_of(j, group);
        const struct m_logoff *apart = NULL;
        for (size_t i = 0; program && i < group->offsets.n; i++) {
            const struct m_logoff *o = group->offsets.items[i];
            if (o->part == a->in && o->outcome != OUT_PLAIN) {
                program = NULL;
            } else if (o->part == a->in) {
                apart = apart ? apart : o;
            }
        }
        if (program && apart) {
            anomaly_event(a, apart->ev);
            a->hint = "send the offsets to the transaction before its commit";
            return put(
                a, BLAME_CLIENT_SIDE, R_CLIENT_SIDE,
                JTEXT(j,
                      "the program of role %s wrote in transactions and committed offsets of "
                      "%s[%d] outside of them",
                      program->name, a->in->topic->name, (int)a->in->number));
        }
    }
    return false;
}

static bool duplicate(struct judge *j, struct anomaly *a)
{
    const struct m_record *out[8];
    size_t n = 0;
    for (size_t i = 0; i < a->records.n && n < ARRAY_LEN(out); i++) {
        const struct m_record *r =
            part_record(a->records.items[i].part, a->records.items[i].offset);
        if (r && r->src == a->in && r->src_offset == a->in_offset && outcome_visible(r->outcome)) {
            out[n++] = r;
        }
    }
    if (n == 0) {
        return offsets_apart(j, a);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (resent(j, a, out[i], out[i + 1])) {
            return true;
        }
    }
    for (size_t i = 0; i < n && n > 1; i++) {
        if (one_output(j, a, out[i])) {
            return true;
        }
    }
    return false;
}

/* ---- row 6: what was left open, what was not in one transaction ---- */

static bool initialised_again(const struct judge *j, const struct m_txn *t)
{
    for (size_t i = 0; i < j->m->procs.n; i++) {
        const struct m_proc *p = j->m->procs.items[i];
        for (size_t k = 0; p != t->proc && k < p->own.n; k++) {
            const struct event *ev = p->own.items[k];
            if (ev->kind == H_TXN_INIT && ev->phase == HP_INVOKE && ev->t > t->begin->t &&
                strcmp(event_str(ev, H_TXN_INIT_PRODUCER), t->producer) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool abandoned(struct judge *j, struct anomaly *a)
{
    const struct m_txn *t = a->txns.n ? a->txns.items[0] : NULL;
    if (!t || !t->begin || t->commit || t->abort || !t->proc->exit || initialised_again(j, t)) {
        return false;
    }
    anomaly_event(a, t->proc->exit);
    a->hint = "keep the transactional.id of an instance when it starts again, or shorten "
              "transaction.timeout.ms";
    return put(a, BLAME_APPLICATION, R_APPLICATION,
               JTEXT(j, "%s ended with %s open, and nobody initialised transactional.id %s again",
                     t->proc->name, txn_name(j, t), t->producer));
}

static bool not_together(struct judge *j, struct anomaly *a)
{
    const struct m_txn *first = NULL;
    for (size_t i = 0; i < a->records.n; i++) {
        const struct m_record *r =
            part_record(a->records.items[i].part, a->records.items[i].offset);
        if (r && r->proc && r->outcome == OUT_PLAIN) {
            a->hint = "send what belongs together in one transaction";
            return put(a, BLAME_APPLICATION, R_APPLICATION,
                       JTEXT(j, "%s was sent outside a transaction",
                             record_name(j->pool, r->part, r->offset)));
        }
        if (r && r->txn && first && first != r->txn) {
            a->hint = "send what belongs together in one transaction";
            return put(
                a, BLAME_APPLICATION, R_APPLICATION,
                JTEXT(j, "it was sent in %s and in %s", txn_name(j, first), txn_name(j, r->txn)));
        }
        first = r && r->txn ? r->txn : first;
    }
    return false;
}

static bool application(struct judge *j, struct anomaly *a)
{
    if (is(a, "held_back")) {
        return abandoned(j, a);
    }
    if (is(a, "torn_write")) {
        return not_together(j, a);
    }
    if (isolation(j, a) || made_by_isolation(j, a)) {
        return true;
    }
    if (a->in && is(a, "lost")) {
        return no_rewind(j, a) || plain_commit(j, a);
    }
    if (a->in && is(a, "duplicate")) {
        return duplicate(j, a) || moved_explains(j, a);
    }
    if (is(a, "stall") && *a->hint) {
        return put(a, BLAME_APPLICATION, R_APPLICATION, a->text);
    }
    return false;
}

void blame_rules(struct judge *j, struct anomaly *a)
{
    if (!a->proven) {
        put(a, BLAME_UNDETERMINED, R_NONE, "");
        return;
    }
    if (log_rules(j, a) || application(j, a) || reset_to_end(j, a)) {
        return;
    }
    if (weak_acks(a) && is(a, "lost")) {
        put(a, BLAME_CONFIGURATION, R_CONFIG, "acks is below all");
        return;
    }
    put(a, BLAME_UNDETERMINED, R_NONE, "");
}
