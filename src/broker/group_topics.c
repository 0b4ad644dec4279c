/* SPDX-License-Identifier: Apache-2.0 */
/* Hides how members of the classic protocol say which topics they subscribe to. Loop thread only.
 */
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

/** The beginning of a subscription, which all its versions have: version, topics.
 *  @return 1 = the topic is among them, 0 = it is not, -1 = this is none. */
static int names_topic(const uint8_t *p, size_t left, const char *topic)
{
    size_t want = strlen(topic);
    bool named = false;
    if (take_int(&p, &left, VERSION_BYTES) < 0) {
        return -1;
    }
    int64_t n = take_int(&p, &left, COUNT_BYTES);
    for (int64_t i = 0; i < n; i++) {
        int64_t len = take_int(&p, &left, LENGTH_BYTES);
        if (len < 0 || (size_t)len > left) {
            return -1;
        }
        named |= (size_t)len == want && memcmp(p, topic, want) == 0;
        p += len;
        left -= (size_t)len;
    }
    return n < 0 ? -1 : named;
}

bool group_is_consumers(const struct group *g)
{
    return g->protocol_type && strcmp(g->protocol_type, "consumer") == 0;
}

bool group_subscribes(const struct group *g, const char *topic)
{
    bool named = false;
    if (!group_is_consumers(g) || g->members.n == 0) {
        return false;
    }
    for (size_t i = 0; i < g->members.n; i++) {
        size_t len;
        const uint8_t *p = group_metadata(g->members.items[i], &len);
        int got = p ? names_topic(p, len, topic) : -1;
        if (got < 0) { /* who knows */
            return true;
        }
        named |= got == 1;
    }
    return named;
}
