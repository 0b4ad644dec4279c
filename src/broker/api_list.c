/* SPDX-License-Identifier: Apache-2.0 */
/* ListGroups, DescribeGroups, DeleteGroups, ListTransactions and DescribeTransactions. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/goffsets.h"
#include "broker/group_priv.h"
#include "broker/tc.h"
#include "broker/tregex.h"

enum { NOT_FOUND_FROM = 6 };

/* ---- groups -----------------------------------------------------------------------------------
 */

static struct map_entry *put_lower(struct map *m, const char *text)
{
    char *low = xstrdup(text);
    for (char *p = low; *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    struct map_entry *at = map_put_str(m, low);
    free(low);
    return at;
}

/** What the request names, in whatever case. */
static void read_filter(const struct call *c, const char *filter, struct map *named)
{
    for (size_t i = 0; i < wire_count(&c->req.root, filter); i++) {
        put_lower(named, (const char *)wire_at(&c->req.root, filter, i)->s.p)->u = 1;
    }
}

static void put_group(struct call *c, const struct group *g)
{
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Groups");
    const char *type = g->consumer ? "consumer" : g->protocol_type;
    wire_set_str(&c->resp, v, "GroupId", g->id);
    wire_set_str(&c->resp, v, "ProtocolType", type ? type : "");
    wire_set_str(&c->resp, v, "GroupState", group_state_name(g));
    wire_set_str(&c->resp, v, "GroupType", g->consumer ? "consumer" : "classic");
}

void api_list_groups(struct call *c)
{
    bool any_state = wire_count(&c->req.root, "StatesFilter") == 0;
    bool any_type = wire_count(&c->req.root, "TypesFilter") == 0;
    struct map states = {0}, types = {0};
    read_filter(c, "StatesFilter", &states);
    read_filter(c, "TypesFilter", &types);
    for (size_t i = 0; i < c->b->groups.n && !c->resp.over; i++) {
        const struct group *g = c->b->groups.items[i].p;
        int code = g ? group_here(c, g->id) : KAFKA_NOT_COORDINATOR;
        if (code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) {
            wire_set_int(&c->resp.root, "ErrorCode", code);
        }
        if (code != KAFKA_NONE) {
            continue;
        }
        const char *type = g->consumer ? "consumer" : "classic";
        if ((any_state || put_lower(&states, group_state_name(g))->u) &&
            (any_type || put_lower(&types, type)->u)) {
            put_group(c, g);
        }
    }
    map_free(&states);
    map_free(&types);
    call_reply(c);
}

static void put_member(struct call *c, struct wire_value *out, const struct group_member *m)
{
    struct wire_value *v = wire_add(&c->resp, out, "Members");
    bool stable = m->group->state == GROUP_STABLE;
    size_t len;
    const uint8_t *data = group_metadata(m, &len);
    wire_set_str(&c->resp, v, "MemberId", m->id);
    wire_set_str(&c->resp, v, "GroupInstanceId", m->instance);
    wire_set_str(&c->resp, v, "ClientId", m->client_id);
    wire_set_str(&c->resp, v, "ClientHost", m->host);
    if (stable && data) {
        wire_set_blob(v, "MemberMetadata", data, len);
    }
    if (m->assignment) {
        wire_set_blob(v, "MemberAssignment", m->assignment, m->assignment_len);
    }
}

static void put_operations(struct call *c, struct wire_value *group)
{
    if (wire_int(&c->req.root, "IncludeAuthorizedOperations")) {
        wire_set_int(group, "AuthorizedOperations", CALL_MAY_GROUP);
    }
}

static void describe_group(struct call *c, const char *name)
{
    const struct group *g = group_find(c->b, name);
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Groups");
    wire_set_str(&c->resp, v, "GroupId", name);
    int code = group_here(c, name);
    if (code != KAFKA_NONE) {
        wire_set_int(v, "ErrorCode", code);
        return;
    }
    if (!g || g->consumer) {
        wire_set_str(&c->resp, v, "GroupState", "Dead");
        if (c->version >= NOT_FOUND_FROM) {
            char *why = xasprintf("Group %s %s.", name, g ? "is not a classic group" : "not found");
            wire_set_int(v, "ErrorCode", KAFKA_GROUP_ID_NOT_FOUND);
            wire_set_str(&c->resp, v, "ErrorMessage", why);
            free(why);
        } else {
            put_operations(c, v);
        }
        return;
    }
    put_operations(c, v);
    wire_set_str(&c->resp, v, "GroupState", group_state_name(g));
    wire_set_str(&c->resp, v, "ProtocolType", g->protocol_type ? g->protocol_type : "");
    if (g->state == GROUP_STABLE && g->protocol) {
        wire_set_str(&c->resp, v, "ProtocolData", g->protocol);
    }
    for (size_t i = 0; i < g->members.n; i++) {
        put_member(c, v, g->members.items[i]);
    }
}

void api_describe_groups(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Groups") && !c->resp.over; i++) {
        describe_group(c, (const char *)wire_at(&c->req.root, "Groups", i)->s.p);
    }
    call_reply(c);
}

void api_delete_groups(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "GroupsNames"); i++) {
        const char *name = (const char *)wire_at(&c->req.root, "GroupsNames", i)->s.p;
        struct group *g = group_find(c->b, name);
        int code = group_here(c, name);
        if (code == KAFKA_NONE) {
            code = !g                   ? KAFKA_GROUP_ID_NOT_FOUND
                   : !group_is_empty(g) ? KAFKA_NON_EMPTY_GROUP
                                        : KAFKA_NONE;
        }
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Results");
        wire_set_str(&c->resp, v, "GroupId", name);
        wire_set_int(v, "ErrorCode", code);
        if (code == KAFKA_NONE) {
            group_delete(g);
        }
    }
    call_reply(c);
}

/* ---- transactions -----------------------------------------------------------------------------
 */

static bool wants_state(const struct call *c, const char *state)
{
    size_t n = wire_count(&c->req.root, "StateFilters");
    for (size_t i = 0; i < n; i++) {
        if (strcmp((const char *)wire_at(&c->req.root, "StateFilters", i)->s.p, state) == 0) {
            return true;
        }
    }
    return n == 0;
}

static bool wants_producer(const struct call *c, int64_t id)
{
    size_t n = wire_count(&c->req.root, "ProducerIdFilters");
    for (size_t i = 0; i < n; i++) {
        if (wire_at(&c->req.root, "ProducerIdFilters", i)->i == id) {
            return true;
        }
    }
    return n == 0;
}

static bool wants_age(const struct call *c, const struct tc_txn *t)
{
    int64_t ms = wire_int(&c->req.root, "DurationFilter");
    return ms < 0 || (t->start_ms >= 0 && state_now_ms() - t->start_ms > ms);
}

static bool is_state(const char *name)
{
    for (int i = TXN_EMPTY; i <= TXN_PREPARE_EPOCH_FENCE; i++) {
        if (strcmp(internal_txn_state_name(i), name) == 0) {
            return true;
        }
    }
    return false;
}

void api_list_transactions(struct call *c)
{
    const char *pattern = wire_str(&c->req.root, "TransactionalIdPattern"), *why;
    struct tregex *wanted = pattern && *pattern ? tregex_new(pattern, &why) : NULL;
    if (pattern && *pattern && !wanted) {
        wire_set_int(&c->resp.root, "ErrorCode", KAFKA_INVALID_REGULAR_EXPRESSION);
        call_reply(c);
        return;
    }
    for (size_t i = 0; i < wire_count(&c->req.root, "StateFilters"); i++) {
        const char *name = (const char *)wire_at(&c->req.root, "StateFilters", i)->s.p;
        if (!is_state(name)) {
            wire_add_str(&c->resp, &c->resp.root, "UnknownStateFilters", name);
        }
    }
    for (size_t i = 0; i < c->b->txns.n; i++) {
        const struct tc_txn *t = c->b->txns.items[i].p;
        const char *state = t ? internal_txn_state_name((int)t->state) : NULL;
        int code = t ? tc_here(c, t->id) : KAFKA_NOT_COORDINATOR;
        if (code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) {
            wire_set_int(&c->resp.root, "ErrorCode", code);
        }
        if (code != KAFKA_NONE || !wants_state(c, state) || !wants_producer(c, t->producer_id) ||
            !wants_age(c, t) || (wanted && !tregex_matches(wanted, t->id))) {
            continue;
        }
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "TransactionStates");
        wire_set_str(&c->resp, v, "TransactionalId", t->id);
        wire_set_int(v, "ProducerId", t->producer_id);
        wire_set_str(&c->resp, v, "TransactionState", state);
    }
    tregex_free(wanted);
    call_reply(c);
}

static struct wire_value *topic_of(struct call *c, struct wire_value *txn, const char *name)
{
    for (size_t i = 0; i < wire_count(txn, "Topics"); i++) {
        const struct wire_value *t = wire_at(txn, "Topics", i);
        if (strcmp(wire_str(t, "Topic"), name) == 0) {
            return (struct wire_value *)t;
        }
    }
    struct wire_value *t = wire_add(&c->resp, txn, "Topics");
    wire_set_str(&c->resp, t, "Topic", name);
    return t;
}

static void describe_txn(struct call *c, const char *id)
{
    const struct tc_txn *t = tc_find(c->b, id);
    struct wire_value *v = wire_add(&c->resp, &c->resp.root, "TransactionStates");
    wire_set_str(&c->resp, v, "TransactionalId", id);
    int code = *id ? tc_here(c, id) : KAFKA_INVALID_REQUEST;
    if (code != KAFKA_NONE) {
        wire_set_int(v, "ErrorCode", code);
        return;
    }
    if (!t) {
        wire_set_int(v, "ErrorCode", KAFKA_TRANSACTIONAL_ID_NOT_FOUND);
        return;
    }
    wire_set_str(&c->resp, v, "TransactionState", internal_txn_state_name((int)t->state));
    wire_set_int(v, "TransactionTimeoutMs", t->timeout_ms);
    wire_set_int(v, "TransactionStartTimeMs", t->start_ms);
    wire_set_int(v, "ProducerId", t->producer_id);
    wire_set_int(v, "ProducerEpoch", t->epoch);
    for (size_t i = 0; i < t->parts.n; i++) {
        struct wire_value *topic = topic_of(c, v, t->parts.items[i].topic);
        wire_add_int(&c->resp, topic, "Partitions", t->parts.items[i].index);
    }
}

void api_describe_transactions(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "TransactionalIds") && !c->resp.over; i++) {
        describe_txn(c, (const char *)wire_at(&c->req.root, "TransactionalIds", i)->s.p);
    }
    call_reply(c);
}
