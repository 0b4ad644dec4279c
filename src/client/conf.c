/* SPDX-License-Identifier: Apache-2.0 */
/* Hides which properties kaos sets under the author's own. */
#include "client/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/internal.h"

struct preset {
    enum conf_kind kind;
    const char *name, *value;
};

/* A session given without a heartbeat sets the heartbeat too: see heartbeat(). */
static const struct preset presets[] = {
    {CONF_CONSUMER, "session.timeout.ms", "3000"},
    {CONF_CONSUMER, "enable.auto.commit", "false"},
    {CONF_CONSUMER, "auto.offset.reset", "earliest"},
    {CONF_CONSUMER, "isolation.level", "read_committed"},
    {CONF_CONSUMER, "socket.nagle.disable", "true"},
    {CONF_PRODUCER, "enable.idempotence", "true"},
    {CONF_PRODUCER, "acks", "all"},
    {CONF_PRODUCER, "socket.nagle.disable", "true"},
    {CONF_TRANSACTIONAL, "enable.idempotence", "true"},
    {CONF_TRANSACTIONAL, "acks", "all"},
    {CONF_TRANSACTIONAL, "socket.nagle.disable", "true"},
    {CONF_TRANSACTIONAL, "transaction.timeout.ms", "10000"},
    {CONF_TRANSACTIONAL, "retry.backoff.ms", "5"},
};

static struct conf_line *find(const struct conf *c, const char *name)
{
    for (size_t i = c->n; i-- > 0;)
        if (strcmp(c->items[i].name, name) == 0)
            return &c->items[i];
    return NULL;
}

void conf_set(struct conf *c, const char *name, const char *value)
{
    struct conf_line *line = find(c, name);
    if (!line) {
        line = VEC_PUSH(c);
        line->name = xstrdup(name);
    }
    char *copy = xstrdup(value);
    free(line->value);
    line->value = copy;
}

const char *conf_get(const struct conf *c, const char *name)
{
    const struct conf_line *line = find(c, name);
    return line ? line->value : NULL;
}

void conf_merge(struct conf *c, const struct conf *from)
{
    for (size_t i = 0; from && i < from->n; i++)
        conf_set(c, from->items[i].name, from->items[i].value);
}

void conf_free(struct conf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].name);
        free(c->items[i].value);
    }
    free(c->items);
    *c = (struct conf){0};
}

bool conf_true(const char *value)
{
    return value &&
           (strcmp(value, "true") == 0 || strcmp(value, "t") == 0 || strcmp(value, "1") == 0);
}

/* The other kind's own properties, and what only the option of that kind may switch on. */
static bool concerns(enum conf_kind kind, const char *name)
{
    const char *scope = conf_scope(name);
    if (kind == CONF_PRODUCER && strcmp(name, "transactional.id") == 0)
        return false;
    if (!scope || strcmp(scope, "*") == 0)
        return true;
    return strcmp(scope, kind == CONF_CONSUMER ? "C" : "P") == 0;
}

static void heartbeat(struct conf *c)
{
    if (conf_get(c, "heartbeat.interval.ms"))
        return;
    long session = strtol(conf_get(c, "session.timeout.ms"), NULL, 10);
    long beat = session / 6 < 3000 ? session / 6 : 3000;
    char text[32];
    snprintf(text, sizeof text, "%ld", beat > 0 ? beat : 1);
    conf_set(c, "heartbeat.interval.ms", text);
}

struct conf conf_resolve(enum conf_kind kind, const struct conf *lines)
{
    struct conf c = {0};
    for (size_t i = 0; i < ARRAY_LEN(presets); i++)
        if (presets[i].kind == kind)
            conf_set(&c, presets[i].name, presets[i].value);
    for (size_t i = 0; lines && i < lines->n; i++)
        if (concerns(kind, lines->items[i].name))
            conf_set(&c, lines->items[i].name, lines->items[i].value);
    if (kind == CONF_CONSUMER) {
        heartbeat(&c);
        /* Who switches auto-commit on wants it to work: librdkafka's default for the store. */
        if (!conf_get(&c, "enable.auto.offset.store"))
            conf_set(&c, "enable.auto.offset.store",
                     conf_true(conf_get(&c, "enable.auto.commit")) ? "true" : "false");
    }
    return c;
}
