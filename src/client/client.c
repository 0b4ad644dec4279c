/* SPDX-License-Identifier: Apache-2.0 */
/* Hides librdkafka's lists and error objects behind kaos's own. */
#include "client/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "client/internal.h"

static struct map names; /* topic -> copy; never freed: names are few and stay valid */

const char *client_intern(const char *topic)
{
    static const char *last;
    if (last && strcmp(last, topic) == 0)
        return last;
    struct map_entry *en = map_put(&names, topic, strlen(topic), NULL);
    if (!en->p)
        en->p = xstrdup(topic);
    return last = en->p;
}

const char *client_version(void)
{
    return rd_kafka_version_str();
}

const char *client_code_name(int code)
{
    return rd_kafka_err2name((rd_kafka_resp_err_t)code);
}

const char *client_code_text(int code)
{
    return rd_kafka_err2str((rd_kafka_resp_err_t)code);
}

void client_partitions_add(struct client_partitions *ps, const char *topic, int32_t partition,
                           int64_t offset)
{
    *VEC_PUSH(ps) = (struct client_partition){client_intern(topic), partition, offset, 0};
}

struct client_partition *client_partitions_find(const struct client_partitions *ps,
                                                const char *topic, int32_t partition)
{
    for (size_t i = 0; i < ps->n; i++) {
        struct client_partition *p = &ps->items[i];
        if (p->partition == partition && (p->topic == topic || strcmp(p->topic, topic) == 0))
            return p;
    }
    return NULL;
}

struct client_partitions client_partitions_copy(const struct client_partitions *ps)
{
    struct client_partitions copy = {0};
    for (size_t i = 0; i < ps->n; i++)
        *VEC_PUSH(&copy) = ps->items[i];
    return copy;
}

void client_partitions_free(struct client_partitions *ps)
{
    free(ps->items);
    *ps = (struct client_partitions){0};
}

rd_kafka_topic_partition_list_t *client_list(const struct client_partitions *ps)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)ps->n);
    for (size_t i = 0; i < ps->n; i++)
        rd_kafka_topic_partition_list_add(list, ps->items[i].topic, ps->items[i].partition)
            ->offset = ps->items[i].offset;
    return list;
}

struct client_partitions client_from_list(const rd_kafka_topic_partition_list_t *list)
{
    struct client_partitions ps = {0};
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        client_partitions_add(&ps, p->topic, p->partition, p->offset);
        ps.items[ps.n - 1].code = p->err;
    }
    return ps;
}

int client_fail(struct err *e, int code, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(e, code == RD_KAFKA_RESP_ERR__TIMED_OUT ? ERR_TIMEOUT : ERR_BROKER, code,
                   "%s: %s (%s)", what, client_code_text(code), client_code_name(code));
}

int client_fail_error(struct err *e, rd_kafka_error_t *error, const char *what)
{
    if (!error)
        return 0;
    int code = rd_kafka_error_code(error);
    err_set(e, code == RD_KAFKA_RESP_ERR__TIMED_OUT ? ERR_TIMEOUT : ERR_BROKER, code, "%s: %s (%s)",
            what, rd_kafka_error_string(error), client_code_name(code));
    e->fatal = rd_kafka_error_is_fatal(error);
    e->abortable = rd_kafka_error_txn_requires_abort(error);
    e->retriable = rd_kafka_error_is_retriable(error);
    rd_kafka_error_destroy(error);
    return -1;
}
