/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka properties as the author wrote them, and the preset of kaos under them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct conf_line {
    char *name, *value;
};
/** Lines in order; a later line of the same name wins. {0} is empty. */
struct conf {
    struct conf_line *items;
    size_t n, cap;
};

enum conf_kind { CONF_PRODUCER, CONF_TRANSACTIONAL, CONF_CONSUMER };

/** Replaces the line of that name or appends one; both strings are copied. */
void conf_set(struct conf *c, const char *name, const char *value);
/** The value of the last line of that name, or NULL. */
const char *conf_get(const struct conf *c, const char *name);
/** All lines of from on top of those of c. */
void conf_merge(struct conf *c, const struct conf *from);
void conf_free(struct conf *c);

/** Checks every line by itself, as the conf of a role that has producers and consumers.
 *  @return -1 with ERR_USAGE naming the property, librdkafka's reason and the nearest known name.
 */
int conf_check(const struct conf *lines, struct err *e);

/** What a client of this kind is opened with: preset, then the lines that concern it (a consumer
 * does not get the producer's properties). Unknown names are kept: opening refuses them.
 *  @return to be freed with conf_free() */
struct conf conf_resolve(enum conf_kind kind, const struct conf *lines);
