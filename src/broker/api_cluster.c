/* SPDX-License-Identifier: Apache-2.0 */
/* ApiVersions and FindCoordinator: what there is and where. */
#include <ctype.h>
#include <string.h>

#include "broker/call.h"
#include "broker/nodes.h"
#include "broker/part.h"

enum { KEY_GROUP = 0, KEY_TXN = 1, NAMED_FROM = 3, BATCHED_FROM = 4 };

/* ---- ApiVersions ------------------------------------------------------------------------------
 */

/** Up to this version Kafka leaves out supported features whose lowest level is 0. */
enum { FEATURES_HIDDEN_TO = 3 };

static void put_feature(struct call *c, const char *name, int max, int level)
{
    if (c->version > FEATURES_HIDDEN_TO) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "SupportedFeatures");
        wire_set_str(&c->resp, v, "Name", name);
        wire_set_int(v, "MinVersion", 0);
        wire_set_int(v, "MaxVersion", max);
    }
    if (level > 0) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "FinalizedFeatures");
        wire_set_str(&c->resp, v, "Name", name);
        wire_set_int(v, "MinVersionLevel", level);
        wire_set_int(v, "MaxVersionLevel", level);
    }
}

/** Letters, digits, dots and hyphens, with a letter or digit at both ends. */
static bool is_software(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        bool end = i == 0 || i == n - 1;
        if (!isalnum((unsigned char)s[i]) && (end || (s[i] != '.' && s[i] != '-'))) {
            return false;
        }
    }
    return n > 0;
}

void api_versions(struct call *c)
{
    size_t n;
    const struct wire_value *req = &c->req.root;
    if (c->version >= NAMED_FROM && (!is_software(wire_str(req, "ClientSoftwareName")) ||
                                     !is_software(wire_str(req, "ClientSoftwareVersion")))) {
        wire_set_int(&c->resp.root, "ErrorCode", KAFKA_INVALID_REQUEST);
        call_reply(c);
        return;
    }
    const struct api *table = api_table(&n);
    for (size_t i = 0; i < n; i++) {
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "ApiKeys");
        wire_set_int(v, "ApiKey", table[i].key);
        wire_set_int(v, "MinVersion", table[i].min);
        wire_set_int(v, "MaxVersion", table[i].max);
    }
    put_feature(c, "group.version", 1, 1);
    put_feature(c, "transaction.version", BROKER_TXN_VERSION_MAX, c->b->transaction_version);
    wire_set_int(&c->resp.root, "FinalizedFeaturesEpoch", 0);
    call_reply(c);
}

/* ---- coordinators -----------------------------------------------------------------------------
 */

static void refuse_coordinator(struct call *c, struct wire_value *out, int code, const char *why)
{
    wire_set_int(out, "ErrorCode", code);
    wire_set_str(&c->resp, out, "ErrorMessage", why);
    wire_set_int(out, "NodeId", -1);
    wire_set_int(out, "Port", -1);
}

/** Fills code, node, host and port: the fields are the same in the answer and in its elements. */
static void find_one(struct call *c, struct wire_value *out, int64_t type, const char *key)
{
    if (type != KEY_GROUP && type != KEY_TXN) {
        refuse_coordinator(c, out, KAFKA_INVALID_REQUEST, "There is no such type of coordinators.");
        return;
    }
    struct topic *t = part_internal(c->b, type == KEY_TXN ? TXN_TOPIC : OFFSETS_TOPIC);
    const struct node *n =
        nodes_find(c->b, t->parts[state_hash(key) % (uint32_t)t->nparts]->leader);
    if (!n) {
        refuse_coordinator(c, out, KAFKA_COORDINATOR_NOT_AVAILABLE, "Nobody coordinates it now.");
        return;
    }
    const struct node_listener *at = &n->at[c->listener];
    wire_set_int(out, "NodeId", n->id);
    wire_set_str(&c->resp, out, "Host", at->host);
    wire_set_int(out, "Port", at->port);
}

void api_find_coordinator(struct call *c)
{
    const struct wire_value *req = &c->req.root;
    struct wire_value *resp = &c->resp.root;
    int64_t type = wire_int(req, "KeyType");
    if (c->version < BATCHED_FROM) {
        find_one(c, resp, type, wire_str(req, "Key"));
        if (wire_int(resp, "ErrorCode") == KAFKA_NONE) {
            wire_set_str(&c->resp, resp, "ErrorMessage", "NONE");
        }
    }
    for (size_t i = 0; i < wire_count(req, "CoordinatorKeys") && !c->resp.over; i++) {
        const char *key = (const char *)wire_at(req, "CoordinatorKeys", i)->s.p;
        struct wire_value *out = wire_add(&c->resp, resp, "Coordinators");
        wire_set_str(&c->resp, out, "Key", key);
        find_one(c, out, type, key);
    }
    call_reply(c);
}
