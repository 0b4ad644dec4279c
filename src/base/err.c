/* SPDX-License-Identifier: Apache-2.0 */
/* struct err: see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
{
    va_list ap;
    *e = (struct err){.kind = kind, .code = code};
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char inner[sizeof e->msg];
    va_list ap;
    memcpy(inner, e->msg, sizeof inner);
    va_start(ap, fmt);
    int n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n + 2 < sizeof e->msg) {
        size_t room = sizeof e->msg - (size_t)n - 3, len = strlen(inner);
        memcpy(e->msg + n, ": ", 2);
        memcpy(e->msg + n + 2, inner, len < room ? len : room);
        e->msg[(size_t)n + 2 + (len < room ? len : room)] = '\0';
    }
    return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int code = errno;
    va_list ap;
    *e = (struct err){.kind = ERR_SYSTEM, .code = code};
    va_start(ap, fmt);
    int n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->msg) {
        snprintf(e->msg + n, sizeof e->msg - (size_t)n, ": %s", strerror(code));
    }
    return -1;
}

void err_clear(struct err *e)
{
    *e = (struct err){0};
}

const char *err_kind_name(enum err_kind kind)
{
    static const char *const names[] = {"none",   "usage",    "timeout", "broker",  "process",
                                        "system", "protocol", "refused", "internal"};
    return names[kind];
}
