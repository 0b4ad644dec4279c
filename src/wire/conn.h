/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to one broker: blocking calls with absolute deadlines (clock_mono_ns). */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/schema.h"

struct conn;

/** Resolves, connects and asks for ApiVersions. @return NULL with ERR_TIMEOUT, ERR_SYSTEM (refused,
 *  unknown host) or ERR_PROTOCOL; the message names the address. */
struct conn *conn_open(const char *host, int port, const char *client_id, uint64_t deadline_ns,
                       struct err *e);
void conn_close(struct conn *c); /**< NULL is fine */
/** "host:port"; borrowed. */
const char *conn_address(const struct conn *c);
/** The highest version <= want that the broker, and our table, know; -1 with ERR_BROKER code 35. */
int conn_version(const struct conn *c, int16_t api, int want, struct err *e);
/** Level of a finalised feature, 0 if none. */
int conn_feature(const struct conn *c, const char *name);
/** Sends req and waits for its answer, decoded into resp (free it always, also after an error).
 *  After any error the connection must be closed: answers can no longer be matched. */
int conn_call(struct conn *c, const struct wire_msg *req, struct wire_msg *resp,
              uint64_t deadline_ns, struct err *e);
/** Of the calling thread: once *flag is true its waits end within 100 ms as if their deadline had
 *  passed. NULL = never. */
void conn_cancel_by(const atomic_bool *flag);
bool conn_cancelled(void);
