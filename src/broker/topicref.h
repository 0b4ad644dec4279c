/* SPDX-License-Identifier: Apache-2.0 */
/* A topic as a request says it: by name, in newer versions by id. */
#pragma once
#include "broker/call.h"

struct topicref {
    const char *name;    /**< NULL = an id that no topic has */
    const uint8_t *id;   /**< of the request; NULL = it says the name */
    struct topic *topic; /**< NULL = there is none */
};

/** Reads the reference from an element of the request, whose name is called `field`. */
struct topicref topicref_read(const struct call *c, const struct wire_value *ask, const char *field,
                              bool by_id);
/** Says the topic in an answer the way the request said it. */
void topicref_put(struct call *c, struct wire_value *out, const char *field,
                  const struct topicref *t);
/** NULL = there is none. */
struct partition *topicref_at(const struct topicref *t, int64_t index);
/** Kafka's code for a partition that is not there. */
int topicref_missing(const struct topicref *t);
