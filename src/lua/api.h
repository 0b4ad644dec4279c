/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of everything that a scenario author can write: rows of lib/kaos/schema.lua (the
 * language of scenarios) and rows of the C modules (what exists inside a role). From it come
 * `kaos help NAME`, docs/api.md, the editor stub and luacheck's list of names. */
#pragma once
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct api_row {
    const char *module;    /**< "scenario", "fault", "property", "predicate"; or the class: "ctx",
                              "producer", "tx", ... */
    const char *name;      /**< as written, without the class */
    const char *signature; /**< "(duration) -> nil"; "{ ... }" for tables */
    const char *doc;       /**< one sentence, present tense */
};

struct api;

/** Reads both sources. Returned, caller frees with api_close. */
struct api *api_open(struct err *e);
void api_close(struct api *a);
/** All rows, by module, borrowed. */
const struct api_row *api_rows(const struct api *a, size_t *n);

int api_write_docs(FILE *f, struct err *e); /**< docs/api.md */
int api_write_meta(FILE *f, struct err *e); /**< lib/kaos/_meta.lua, for the Lua language server */
int api_write_luacheck(FILE *f, struct err *e); /**< .luacheckrc */
/** Text of `kaos help NAME` for a name of the table (f may be the terminal); -1 with the nearest
 * name if there is none. */
int api_help(FILE *f, const char *name, struct err *e);

/** Rows of the C modules, NULL at the end; one line in api.c for each l_*.c. A list ends with a
 * NULL name. */
extern const struct api_row *const api_modules[];
