/* SPDX-License-Identifier: Apache-2.0 */
/* JSON is jansson's; this header is how the project includes it. */
#pragma once
#include <jansson.h>

#include "base/err.h"

/** Writes j, indented and in insertion order, to path; j is borrowed. */
int json_write(const char *path, const json_t *j, struct err *e);
/** Reads a file; returned, caller frees with json_decref. */
json_t *json_read(const char *path, struct err *e);
/** A string from bytes: UTF-8 as it is, anything else as {"base64": "..."}; NULL data as null. */
json_t *json_bytes(const void *data, size_t len);
