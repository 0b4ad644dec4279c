/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how members of the classic protocol say which topics they subscribe to. As in Kafka, that
 * is looked at when a generation begins, and not again before the next one. Loop thread only. */
#include <string.h>

#include "broker/group_priv.h"

enum { VERSION_BYTES = 2, COUNT_BYTES = 4, LENGTH_BYTES = 2 };

static int64_t take_int(const uint8_t **p, size_t *left, size_t size)
{
    uint64_t u = *left >= size && (**p & 0x80) ? UINT64_MAX : 0;
    if (*left < size) {
        return -1;
    }
    for (size_t i = 0; i < size; i++) {
        u = u << 8 | (*p)[i];
    }
    *p += size;
    *left -= size;
    return (int64_t)u;
}

/** Notes the topics of a subscription, by what all its versions begin with: version, topics, data
 * of the user. @return whether it is one. */
static bool read_topics(const uint8_t *p, size_t left, struct map *names)
{
    if (take_int(&p, &left, VERSION_BYTES) < 0) {
        return false;
    }
    int64_t n = take_int(&p, &left, COUNT_BYTES);
    for (int64_t i = 0; i < n; i++) {
        int64_t len = take_int(&p, &left, LENGTH_BYTES);
        if (len < 0 || (size_t)len > left) {
            return false;
        }
        map_put(names, p, (size_t)len, NULL);
        p += len;
        left -= (size_t)len;
    }
    bool more = left >= COUNT_BYTES;
    int64_t data = take_int(&p, &left, COUNT_BYTES);
    return n >= 0 && more && data <= (int64_t)left;
}

bool group_is_consumers(const struct group *g)
{
    return g->protocol_type && strcmp(g->protocol_type, "consumer") == 0;
}

void group_forget_topics(struct group *g)
{
    map_free(&g->topics.names);
    g->topics.known = false;
    state_charge(g->b, &g->topics.cost, 0);
}

void group_read_topics(struct group *g)
{
    group_forget_topics(g);
    g->topics.known = group_is_consumers(g);
    for (size_t i = 0; g->topics.known && i < g->members.n; i++) {
        size_t len;
        const uint8_t *p = group_metadata(g->members.items[i], &len);
        g->topics.known = p && read_topics(p, len, &g->topics.names);
    }
    size_t sum = 0;
    for (size_t i = 0; i < g->topics.names.n; i++) {
        sum += STATE_ENTRY + g->topics.names.items[i].len;
    }
    state_charge(g->b, &g->topics.cost, sum);
}

bool group_subscribes(const struct group *g, const char *topic)
{
    return g->topics.known ? map_get_str(&g->topics.names, topic) != NULL : group_is_consumers(g);
}
