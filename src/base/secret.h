/* SPDX-License-Identifier: Apache-2.0 */
/* Settings whose values are nobody's business: passwords, keys, tokens. They are told by name. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/** Does a setting, a param or a variable of this name hold a secret? */
bool secret_name(const char *name);
/** value, or "(redacted)" under a secret's name; borrowed. NULL stays NULL. */
const char *secret_shown(const char *name, const char *value);
/** A copy of text ("NAME=VALUE", "--param=NAME=VALUE") with the value hidden if NAME is a secret's;
 *  caller frees. */
char *secret_argument(const char *text);
