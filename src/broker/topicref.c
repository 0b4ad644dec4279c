/* SPDX-License-Identifier: Apache-2.0 */
/* Hides whether a request names its topics or says their ids. Loop thread only. */
#include "broker/topicref.h"

#include <string.h>

#include "broker/part.h"

struct topicref topicref_read(const struct call *c, const struct wire_value *ask, const char *field,
                              bool by_id)
{
    struct topicref t = {0};
    size_t len;
    if (by_id) {
        t.id = wire_blob(ask, "TopicId", &len);
        t.topic = part_topic_by_id(c->b, t.id);
        t.name = t.topic ? t.topic->name : NULL;
    } else {
        t.name = wire_str(ask, field);
        t.topic = part_topic(c->b, t.name);
    }
    return t;
}

void topicref_put(struct call *c, struct wire_value *out, const char *field,
                  const struct topicref *t)
{
    if (t->id) {
        void *copy = arena_alloc(&c->resp.mem, TOPIC_ID_BYTES);
        wire_set_blob(out, "TopicId", memcpy(copy, t->id, TOPIC_ID_BYTES), TOPIC_ID_BYTES);
    } else {
        wire_set_str(&c->resp, out, field, t->name);
    }
}

struct partition *topicref_at(const struct topicref *t, int64_t index)
{
    bool exists = t->topic && index >= 0 && index < t->topic->nparts;
    return exists ? t->topic->parts[index] : NULL;
}

int topicref_missing(const struct topicref *t)
{
    return t->id && !t->topic ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}
