/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of kaos itself, one line each on stderr. KAOS_DEBUG=1 shows debug lines. */
#pragma once

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
