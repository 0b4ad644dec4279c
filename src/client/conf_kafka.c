/* SPDX-License-Identifier: Apache-2.0 */
/* Hides librdkafka's configuration object: the table of its properties is the one it prints itself.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "client/internal.h"

/* Properties that would break the book-keeping of kaos, with the reason. */
static const char *const refused[][2] = {
    {"delivery.report.only.error", "kaos needs every delivery report"},
    {"dr_cb", "callbacks belong to kaos"},
    {"enabled_events", "events belong to kaos"},
    {"log.queue", "logs belong to kaos"},
    {"bootstrap.servers", "the address comes from the cluster of the run"},
    {"metadata.broker.list", "the address comes from the cluster of the run"},
};

static struct map scopes; /* name -> "C", "P" or "*" */

/* A line of the table: "name | C/P | range | default | importance | description". */
static void read_row(char *line)
{
    char *bar = strchr(line, '|');
    if (!bar)
        return;
    size_t len = strcspn(line, " |");
    const char *scope = bar + 1 + strspn(bar + 1, " ");
    const char *known = *scope == 'C' ? "C" : *scope == 'P' ? "P" : *scope == '*' ? "*" : NULL;
    if (len == 0 || !known || (scope[1] != ' ' && scope[1] != '|'))
        return;
    struct map_entry *en = map_put(&scopes, line, len, NULL);
    en->p = (void *)(en->p && strcmp(en->p, known) != 0 ? "*" : known);
}

static void read_table(void)
{
    if (scopes.n > 0)
        return;
    char *text = NULL, *save = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        abort();
    rd_kafka_conf_properties_show(f);
    fclose(f);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        read_row(line);
    free(text);
}

const char *conf_scope(const char *name)
{
    read_table();
    const struct map_entry *en = map_get_str(&scopes, name);
    return en ? en->p : NULL;
}

/* Edit distance, at most the length of a property's name. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 96 };
    size_t row[MOST + 1], la = strlen(a), lb = strlen(b);
    if (la > MOST || lb > MOST)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            best = up + 1 < best ? up + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = up;
        }
    }
    return row[lb];
}

static const char *nearest(const char *name)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 1;
    for (size_t i = 0; i < scopes.n; i++) {
        size_t d = distance(name, scopes.items[i].key);
        if (d < least) {
            least = d;
            best = scopes.items[i].key;
        }
    }
    return best;
}

static int unknown(const char *name, const char *reason, struct err *e)
{
    const char *near = nearest(name);
    if (near)
        return err_set(e, ERR_USAGE, RD_KAFKA_CONF_UNKNOWN,
                       "no Kafka client property `%s` in librdkafka %s (did you mean `%s`?)", name,
                       client_version(), near);
    return err_set(e, ERR_USAGE, RD_KAFKA_CONF_UNKNOWN,
                   "no Kafka client property `%s` in librdkafka %s: %s", name, client_version(),
                   reason);
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
    char reason[256] = "";
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (strcmp(refused[i][0], name) == 0)
            return err_set(e, ERR_USAGE, 0, "Kafka client property `%s` can not be set: %s", name,
                           refused[i][1]);
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name, value, reason, sizeof reason);
    if (rc == RD_KAFKA_CONF_OK)
        return 0;
    if (rc == RD_KAFKA_CONF_UNKNOWN && !conf_scope(name))
        return unknown(name, reason, e);
    return err_set(e, ERR_USAGE, rc, "Kafka client property `%s` = \"%s\": %s", name, value,
                   reason);
}

int conf_check(const struct conf *lines, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < lines->n; i++)
        rc = set(conf, lines->items[i].name, lines->items[i].value, e);
    rd_kafka_conf_destroy(conf);
    return rc;
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    log_debug("%s %s: %s", rd_kafka_name(rk), fac, text);
}

static int force(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
    char reason[256] = "";
    if (!value || rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(e, ERR_USAGE, 0, "Kafka client property `%s` = \"%s\": %s", name, value, reason);
}

rd_kafka_conf_t *conf_make(enum conf_kind kind, const struct conf_base *base,
                           const struct conf *resolved, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
#ifdef CLIENT_TSAN
    client_tsan();
#endif
    rd_kafka_conf_set_log_cb(conf, on_log);
    int rc = force(conf, "bootstrap.servers", base->bootstrap, e);
    rc = rc ? rc : force(conf, "client.id", base->client_id, e);
    rc = rc ? rc : force(conf, "group.id", base->group, e);
    rc = rc ? rc : force(conf, "transactional.id", base->transactional_id, e);
    for (size_t i = 0; rc == 0 && i < resolved->n; i++)
        rc = set(conf, resolved->items[i].name, resolved->items[i].value, e);
    if (rc == 0)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}
