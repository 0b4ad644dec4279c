/* SPDX-License-Identifier: Apache-2.0 */
/* Hides librdkafka's group metadata: an opaque object whose generation can be read only from its
 * serialized form ("CGMDv2:", generation, group, member, ...). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/internal.h"

struct membership {
    rd_kafka_consumer_group_metadata_t *raw;
    int32_t generation;
    char *member;
    int refs;
};

/* Leaves generation -1 and member "" (not a member) when the form is not the known one. */
static void read_form(struct membership *m, const char *data, size_t size)
{
    static const char magic[] = {'C', 'G', 'M', 'D', 'v', '2', ':'};
    if (size < sizeof magic + sizeof m->generation || memcmp(data, magic, sizeof magic) != 0)
        return;
    const char *group = data + sizeof magic + sizeof m->generation, *end = data + size;
    const char *nul = memchr(group, 0, (size_t)(end - group));
    if (!nul || !memchr(nul + 1, 0, (size_t)(end - nul - 1)))
        return;
    memcpy(&m->generation, data + sizeof magic, sizeof m->generation);
    free(m->member);
    m->member = xstrdup(nul + 1);
}

struct membership *membership_now(rd_kafka_t *rk)
{
    rd_kafka_consumer_group_metadata_t *raw = rd_kafka_consumer_group_metadata(rk);
    if (!raw)
        return NULL;
    struct membership *m = xcalloc(1, sizeof *m);
    m->raw = raw;
    m->generation = -1;
    m->member = xstrdup("");
    m->refs = 1;
    void *data = NULL;
    size_t size = 0;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(raw, &data, &size);
    if (error)
        rd_kafka_error_destroy(error);
    else
        read_form(m, data, size);
    if (data)
        rd_kafka_mem_free(rk, data);
    return m;
}

bool membership_same(const struct membership *a, const struct membership *b)
{
    if (!a || !b)
        return a == b;
    return a->generation == b->generation && strcmp(a->member, b->member) == 0;
}

bool membership_valid(const struct membership *m)
{
    return m && m->generation >= 0 && m->member[0];
}

int32_t membership_generation(const struct membership *m)
{
    return m ? m->generation : -1;
}

const char *membership_member(const struct membership *m)
{
    return m ? m->member : "";
}

const rd_kafka_consumer_group_metadata_t *membership_raw(const struct membership *m)
{
    return m->raw;
}

struct membership *membership_copy(const struct membership *m)
{
    struct membership *copy = (struct membership *)m;
    if (copy)
        copy->refs++;
    return copy;
}

void membership_free(struct membership *m)
{
    if (!m || --m->refs > 0)
        return;
    rd_kafka_consumer_group_metadata_destroy(m->raw);
    free(m->member);
    free(m);
}
