/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeConfigs, AlterConfigs and IncrementalAlterConfigs, for topics; brokers are only
 * described. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/call.h"
#include "broker/part.h"

enum {
    RESOURCE_TOPIC = 2,
    RESOURCE_BROKER = 4,
    SOURCE_TOPIC = 1,
    SOURCE_STATIC_BROKER = 4,
    SOURCE_DEFAULT = 5,
    TYPE_BOOLEAN = 1,
    TYPE_STRING = 2,
    TYPE_LONG = 5,
    OP_SET = 0,
    OP_DELETE = 1,
    VALUE_BYTES = 80,
};

/* ---- describing -------------------------------------------------------------------------------
 */

static bool is_asked(const struct wire_value *ask, const char *name)
{
    const struct wire_value *keys = wire_get(ask, "ConfigurationKeys");
    for (int32_t i = 0; i < keys->a.n; i++) {
        if (strcmp((const char *)keys->a.items[i].s.p, name) == 0) {
            return true;
        }
    }
    return keys->a.n < 0;
}

static int source_of(const struct broker *b, const struct props *topic, enum props_id id)
{
    if (topic && topic->at[id].set) {
        return SOURCE_TOPIC;
    }
    return b->props.at[id].set ? SOURCE_STATIC_BROKER : SOURCE_DEFAULT;
}

static void put_config(struct call *c, struct wire_value *out, const char *name,
                       const struct props *topic, enum props_id id)
{
    static const int types[] = {TYPE_BOOLEAN, TYPE_LONG, TYPE_STRING};
    char text[VALUE_BYTES];
    struct wire_value *v = wire_add(&c->resp, out, "Configs");
    int source = source_of(c->b, topic, id);
    props_text(&c->b->props, topic, id, text, sizeof text);
    wire_set_str(&c->resp, v, "Name", name);
    wire_set_str(&c->resp, v, "Value", text);
    wire_set_int(v, "ReadOnly", !topic);
    wire_set_int(v, "ConfigSource", source);
    wire_set_int(v, "ConfigType", types[props_row(id)->kind]);
    wire_set_null(v, "Documentation");
    if (wire_int(&c->req.root, "IncludeSynonyms")) {
        struct wire_value *s = wire_add(&c->resp, v, "Synonyms");
        wire_set_str(&c->resp, s, "Name", name);
        wire_set_str(&c->resp, s, "Value", text);
        wire_set_int(s, "Source", source);
    }
}

static int is_node(const struct broker *b, const char *name)
{
    char *end;
    long id = strtol(name, &end, 10);
    return end != name && *end == '\0' && id >= 1 && id <= b->nnodes;
}

static void describe(struct call *c, const struct wire_value *ask)
{
    int64_t type = wire_int(ask, "ResourceType");
    const char *name = wire_str(ask, "ResourceName");
    const struct topic *t = type == RESOURCE_TOPIC ? part_topic(c->b, name) : NULL;
    struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Results");
    int code = t || (type == RESOURCE_BROKER && (is_node(c->b, name) || !*name)) ? KAFKA_NONE
               : type == RESOURCE_TOPIC ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                        : KAFKA_INVALID_REQUEST;
    wire_set_int(out, "ErrorCode", code);
    wire_set_str(&c->resp, out, "ErrorMessage", code ? kafka_error_name(code) : "");
    wire_set_int(out, "ResourceType", type);
    wire_set_str(&c->resp, out, "ResourceName", name);
    for (int id = 0; code == KAFKA_NONE && id < PROP_COUNT; id++) {
        const struct props_row *r = props_row(id);
        const char *prop = t ? r->topic : r->broker;
        if (prop && is_asked(ask, prop) && (t || *name)) {
            put_config(c, out, prop, t ? &t->props : NULL, id);
        }
    }
}

void api_describe_configs(struct call *c)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Resources") && !c->resp.over; i++) {
        describe(c, wire_at(&c->req.root, "Resources", i));
    }
    call_reply(c);
}

/* ---- altering ---------------------------------------------------------------------------------
 */

struct change {
    struct call *c;
    const struct wire_value *ask;
    bool whole; /**< AlterConfigs: what is not named goes back to its default */
    char why[sizeof((struct err *)0)->msg];
};

static int refuse(struct change *x, int code, const char *why)
{
    snprintf(x->why, sizeof x->why, "%s", why);
    return code;
}

static int apply_one(struct change *x, struct props *to, const struct wire_value *v)
{
    struct err e;
    const char *name = wire_str(v, "Name"), *value = wire_str(v, "Value");
    int64_t op = x->whole ? OP_SET : wire_int(v, "ConfigOperation");
    if (op == OP_DELETE) {
        props_unset(to, name, true);
        return KAFKA_NONE;
    }
    if (op != OP_SET) {
        return refuse(x, KAFKA_INVALID_CONFIG, "Only set and delete are possible.");
    }
    if (!value) {
        return refuse(x, KAFKA_INVALID_REQUEST, "A value is null.");
    }
    return props_set(to, name, true, value, &e) < 0 ? refuse(x, KAFKA_INVALID_CONFIG, e.msg)
                                                    : KAFKA_NONE;
}

static int apply(struct change *x)
{
    struct topic *t = part_topic(x->c->b, wire_str(x->ask, "ResourceName"));
    if (wire_int(x->ask, "ResourceType") != RESOURCE_TOPIC) {
        return refuse(x, KAFKA_INVALID_REQUEST, "Only topics can be altered.");
    }
    if (!t) {
        return refuse(x, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "There is no such topic.");
    }
    struct props fresh = {0};
    if (!x->whole) {
        fresh = t->props;
    }
    for (size_t i = 0; i < wire_count(x->ask, "Configs"); i++) {
        int code = apply_one(x, &fresh, wire_at(x->ask, "Configs", i));
        if (code != KAFKA_NONE) {
            return code;
        }
    }
    if (!wire_int(&x->c->req.root, "ValidateOnly")) {
        t->props = fresh;
    }
    return KAFKA_NONE;
}

static void alter(struct call *c, bool whole)
{
    for (size_t i = 0; i < wire_count(&c->req.root, "Resources") && !c->resp.over; i++) {
        struct change x = {.c = c, .ask = wire_at(&c->req.root, "Resources", i), .whole = whole};
        int code = apply(&x);
        struct wire_value *v = wire_add(&c->resp, &c->resp.root, "Responses");
        wire_set_int(v, "ErrorCode", code);
        wire_set_str(&c->resp, v, "ErrorMessage", code ? x.why : NULL);
        wire_set_int(v, "ResourceType", wire_int(x.ask, "ResourceType"));
        wire_set_str(&c->resp, v, "ResourceName", wire_str(x.ask, "ResourceName"));
    }
    call_reply(c);
}

void api_alter_configs(struct call *c)
{
    alter(c, true);
}

void api_incremental_alter_configs(struct call *c)
{
    alter(c, false);
}
