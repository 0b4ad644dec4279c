/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((format(printf, 2, 0))) static void line(const char *level, const char *fmt,
                                                       va_list ap)
{
    char text[1024];
    vsnprintf(text, sizeof text, fmt, ap);
    fprintf(stderr, "kaos: %s%s\n", level, text);
}

void log_debug(const char *fmt, ...)
{
    if (!getenv("KAOS_DEBUG")) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    line("debug: ", fmt, ap);
    va_end(ap);
}

void log_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    line("warning: ", fmt, ap);
    va_end(ap);
}
