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
    TYPE_BOOLEAN = 1,
    TYPE_STRING = 2,
    TYPE_INT = 3,
    TYPE_LONG = 5,
    TYPE_LIST = 7,
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
    return keys->a.n <= 0;
}

static int type_of(enum props_id id)
{
    const struct props_row *r = props_row(id);
    switch (r->kind) {
    case PROP_BOOL:
        return TYPE_BOOLEAN;
    case PROP_INT:
        return r->max > INT32_MAX ? TYPE_LONG : TYPE_INT;
    default:
        return id == PROP_CLEANUP_POLICY ? TYPE_LIST : TYPE_STRING;
    }
}

static void put_synonym(struct call *c, struct wire_value *config, const char *name,
                        const char *value, enum props_source source)
{
    struct wire_value *v = wire_add(&c->resp, config, "Synonyms");
    wire_set_str(&c->resp, v, "Name", name);
    wire_set_str(&c->resp, v, "Value", value);
    wire_set_int(v, "Source", source);
}

/** The values that are or would be in force, the first one wins. */
static void put_synonyms(struct call *c, struct wire_value *config, const struct props *topic,
                         enum props_id id)
{
    static const struct props none = {0};
    const struct props *broker = &c->b->props;
    const struct props_row *r = props_row(id);
    char text[VALUE_BYTES];
    if (topic && topic->at[id].set) {
        put_synonym(c, config, r->topic, props_text(broker, topic, id, text, sizeof text),
                    PROPS_TOPIC);
    }
    if (r->broker && broker->at[id].set) {
        put_synonym(c, config, r->broker, props_text(broker, NULL, id, text, sizeof text),
                    PROPS_BROKER);
    }
    if (r->broker) {
        put_synonym(c, config, r->broker, props_text(&none, NULL, id, text, sizeof text),
                    PROPS_DEFAULT);
    }
}

static void put_config(struct call *c, struct wire_value *out, const char *name,
                       const struct props *topic, enum props_id id)
{
    char text[VALUE_BYTES];
    struct wire_value *v = wire_add(&c->resp, out, "Configs");
    props_text(&c->b->props, topic, id, text, sizeof text);
    wire_set_str(&c->resp, v, "Name", name);
    wire_set_str(&c->resp, v, "Value", text);
    wire_set_int(v, "ReadOnly", !topic);
    wire_set_int(v, "ConfigSource", props_source(&c->b->props, topic, id));
    wire_set_int(v, "ConfigType", type_of(id));
    wire_set_null(v, "Documentation");
    if (wire_int(&c->req.root, "IncludeSynonyms")) {
        put_synonyms(c, v, topic, id);
    }
}

/** The asked node itself, or the defaults of all, which are none. */
static bool is_node(const struct call *c, const char *name)
{
    char *end;
    long id = strtol(name, &end, 10);
    return !*name || (end != name && *end == '\0' && id == c->node->id);
}

static int check_resource(const struct call *c, int64_t type, const char *name)
{
    if (type == RESOURCE_BROKER) {
        return is_node(c, name) ? KAFKA_NONE : KAFKA_INVALID_REQUEST;
    }
    if (type != RESOURCE_TOPIC) {
        return KAFKA_INVALID_REQUEST;
    }
    return !part_name_ok(name)      ? KAFKA_INVALID_TOPIC_EXCEPTION
           : part_topic(c->b, name) ? KAFKA_NONE
                                    : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}

static void describe(struct call *c, const struct wire_value *ask)
{
    int64_t type = wire_int(ask, "ResourceType");
    const char *name = wire_str(ask, "ResourceName");
    const struct topic *t = type == RESOURCE_TOPIC ? part_topic(c->b, name) : NULL;
    struct wire_value *out = wire_add(&c->resp, &c->resp.root, "Results");
    int code = check_resource(c, type, name);
    bool silent = code == KAFKA_NONE || code == KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    wire_set_int(out, "ErrorCode", code);
    wire_set_str(&c->resp, out, "ErrorMessage", silent ? "" : kafka_error_name(code));
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

/** Whether a property stands in the change more than once. */
static bool is_twice(const struct change *x)
{
    struct map seen = {0};
    bool twice = false, fresh;
    for (size_t i = 0; i < wire_count(x->ask, "Configs"); i++) {
        const char *name = wire_str(wire_at(x->ask, "Configs", i), "Name");
        map_put(&seen, name, strlen(name), &fresh);
        twice |= !fresh;
    }
    map_free(&seen);
    return twice;
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
    if (!x->whole && is_twice(x)) {
        return refuse(x, KAFKA_INVALID_REQUEST, "A property is named twice.");
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
