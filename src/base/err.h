/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one value, no allocation. A function that can fail takes `struct err *e` last (never
 * NULL) and returns -1 or NULL after err_set(). Messages: lower case, no full stop, what was tried
 * on what. */
#pragma once
#include <stdbool.h>

enum err_kind {
    ERR_NONE,
    ERR_USAGE,    /**< the author of a scenario or of a command line */
    ERR_TIMEOUT,  /**< a bound passed */
    ERR_BROKER,   /**< Kafka answered with an error; code is Kafka's */
    ERR_PROCESS,  /**< a child could not be started or died */
    ERR_SYSTEM,   /**< the kernel said no; code is errno */
    ERR_PROTOCOL, /**< bytes from outside are not what they should be */
    ERR_REFUSED,  /**< a cluster of this kind cannot do it, another one may */
    ERR_INTERNAL, /**< a bug in kaos */
};

struct err {
    enum err_kind kind;
    int code;                         /**< Kafka's, librdkafka's or errno, by kind */
    bool retriable, fatal, abortable; /**< librdkafka's flags */
    char msg[512];
};

/** Fills e and returns -1, for `return err_set(...)`. */
int err_set(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** Puts "context: " before the message; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** err_set for errno: appends strerror. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *e);
const char *err_kind_name(enum err_kind kind);
