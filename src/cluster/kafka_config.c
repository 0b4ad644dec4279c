/* SPDX-License-Identifier: Apache-2.0 */
/* Fills in the template of a node's properties: @name@ in the embedded file is a row of `fields`, a
 * scenario's own settings replace the template's lines and are added at the end. Pure functions. */
#include "cluster/kafka_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/embed.h"
#include "base/mem.h"

enum {
    SESSION_FAULTS_MS = 1000,  /* a killed broker is replaced soon */
    SESSION_CALM_MS = 9000,    /* Kafka's own: a slow machine is not a dead broker */
    CLEANUP_FAULTS_MS = 10000, /* Kafka's own: shorter, and killed brokers skip markers */
    CLEANUP_CALM_MS = 500,
    REPLICATION_MAX = 3,
};

static const char *const listener_names[PORT_COUNT] = {"BROKER", "FAULTY", "DIRECT", "CONTROLLER"};

/* Without these as they are, kaos cannot run the node or trust what it reads. */
static const char *const reserved[] = {
    "process.roles",
    "node.id",
    "broker.id",
    "log.dir",
    "log.dirs",
    "metadata.log.dir",
    "listeners",
    "advertised.listeners",
    "early.start.listeners",
    "listener.security.protocol.map",
    "inter.broker.listener.name",
    "security.inter.broker.protocol",
    "controller.listener.names",
    "controller.quorum.voters",
    "controller.quorum.bootstrap.servers",
};

int kafka_config_controllers(int nodes)
{
    return nodes % 2 ? nodes : nodes - 1;
}

static bool is_property_name(const char *s)
{
    for (const char *p = s; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p)) {
            return false;
        }
    }
    return *s != '\0';
}

static bool is_property_value(const char *s)
{
    for (; *s; s++) {
        if (iscntrl((unsigned char)*s)) {
            return false;
        }
    }
    return true;
}

int kafka_config_check(const struct cluster_setting *settings, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = settings[i].name;
        if (!is_property_name(name)) {
            return err_set(e, ERR_USAGE, 0, "'%s' is not the name of a broker property", name);
        }
        if (!is_property_value(settings[i].value)) {
            return err_set(e, ERR_USAGE, 0,
                           "the value of the broker property '%s' has a control character", name);
        }
        if (strncmp(name, "kaos.", 5) == 0) {
            err_set(e, ERR_PROCESS, 0,
                    "only the embedded broker has the property '%s' (--cluster embedded)", name);
            return -1;
        }
        for (size_t k = 0; k < ARRAY_LEN(reserved); k++) {
            if (strcmp(name, reserved[k]) == 0) {
                return err_set(e, ERR_USAGE, 0,
                               "the broker property '%s' is set by kaos and cannot be changed",
                               name);
            }
        }
    }
    return 0;
}

static bool is_controller(const struct kafka_config *c)
{
    return c->node <= kafka_config_controllers(c->nodes);
}

static void put_listeners(struct buf *b, const struct kafka_config *c, int count)
{
    for (int i = 0; i < count; i++) {
        buf_printf(b, "%s%s://127.0.0.1:%d", i ? "," : "", listener_names[i],
                   c->ports[c->node - 1].at[i]);
    }
}

/* A value as java.util.Properties reads it. */
static void put_escaped(struct buf *b, const char *value)
{
    for (const char *p = value; *p; p++) {
        if (*p == '\\') {
            buf_puts(b, "\\");
        }
        buf_append(b, p, 1);
    }
}

static void field_roles(struct buf *b, const struct kafka_config *c)
{
    buf_puts(b, is_controller(c) ? "broker,controller" : "broker");
}

static void field_node(struct buf *b, const struct kafka_config *c)
{
    buf_printf(b, "%d", c->node);
}

static void field_data(struct buf *b, const struct kafka_config *c)
{
    put_escaped(b, c->data);
}

static void field_listeners(struct buf *b, const struct kafka_config *c)
{
    put_listeners(b, c, is_controller(c) ? PORT_COUNT : PORT_CONTROLLER);
}

static void field_advertised(struct buf *b, const struct kafka_config *c)
{
    put_listeners(b, c, PORT_CONTROLLER);
}

static void field_voters(struct buf *b, const struct kafka_config *c)
{
    for (int i = 0; i < kafka_config_controllers(c->nodes); i++) {
        buf_printf(b, "%s%d@127.0.0.1:%d", i ? "," : "", i + 1, c->ports[i].at[PORT_CONTROLLER]);
    }
}

static void field_replication(struct buf *b, const struct kafka_config *c)
{
    buf_printf(b, "%d", c->nodes < REPLICATION_MAX ? c->nodes : REPLICATION_MAX);
}

static void field_min_isr(struct buf *b, const struct kafka_config *c)
{
    buf_printf(b, "%d", c->nodes < REPLICATION_MAX ? 1 : REPLICATION_MAX - 1);
}

static void field_cleanup(struct buf *b, const struct kafka_config *c)
{
    buf_printf(b, "%d", c->broker_faults ? CLEANUP_FAULTS_MS : CLEANUP_CALM_MS);
}

static void field_session(struct buf *b, const struct kafka_config *c)
{
    buf_printf(b, "%d", c->broker_faults ? SESSION_FAULTS_MS : SESSION_CALM_MS);
}

static const struct {
    const char *name;
    void (*put)(struct buf *b, const struct kafka_config *c);
} fields[] = {
    {"roles", field_roles},
    {"node", field_node},
    {"data", field_data},
    {"listeners", field_listeners},
    {"advertised", field_advertised},
    {"voters", field_voters},
    {"replication", field_replication},
    {"min_isr", field_min_isr},
    {"txn_cleanup_ms", field_cleanup},
    {"session_ms", field_session},
};

/* Puts the field whose name is the n bytes at name; an unknown one aborts: the template is ours. */
static void put_field(struct buf *b, const struct kafka_config *c, const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) == n && memcmp(fields[i].name, name, n) == 0) {
            fields[i].put(b, c);
            return;
        }
    }
    abort();
}

static void put_line(struct buf *b, const struct kafka_config *c, const char *line, size_t len)
{
    const char *end = line + len;
    while (line < end) {
        const char *at = memchr(line, '@', (size_t)(end - line));
        const char *close = at ? memchr(at + 1, '@', (size_t)(end - at - 1)) : NULL;
        if (!close) {
            buf_append(b, line, (size_t)(end - line));
            break;
        }
        buf_append(b, line, (size_t)(at - line));
        put_field(b, c, at + 1, (size_t)(close - at - 1));
        line = close + 1;
    }
    buf_puts(b, "\n");
}

static bool is_replaced(const struct kafka_config *c, const char *line, size_t len)
{
    const char *eq = memchr(line, '=', len);
    size_t n = eq ? (size_t)(eq - line) : 0;
    for (size_t i = 0; n > 0 && i < c->nsettings; i++) {
        const char *name = c->settings[i].name;
        if (strlen(name) == n && memcmp(name, line, n) == 0) {
            return true;
        }
    }
    return false;
}

char *kafka_config_render(const struct kafka_config *c)
{
    const struct embedded *t = embed_find(kafka_embedded, "server.properties");
    struct buf b = {0};
    for (const char *line = t->data, *next; *line; line = next) {
        size_t len = strcspn(line, "\n");
        next = line + len + (line[len] == '\n');
        if (len > 0 && line[0] != '#' && !is_replaced(c, line, len)) {
            put_line(&b, c, line, len);
        }
    }
    for (size_t i = 0; i < c->nsettings; i++) {
        buf_printf(&b, "%s=", c->settings[i].name);
        put_escaped(&b, c->settings[i].value);
        buf_puts(&b, "\n");
    }
    return buf_take(&b);
}
