/* SPDX-License-Identifier: Apache-2.0 */
/* How value trees grow; private to the encoder and decoder. */
#pragma once
#include "wire/schema.h"

void value_init(struct wire_msg *m, struct wire_value *v, const struct wire_field *f);
/** An element of f's list, or f itself if it is none. */
void value_init_element(struct wire_msg *m, struct wire_value *v, const struct wire_field *f);
void value_init_members(struct wire_msg *m, struct wire_value *v, const struct wire_field *rows);
/** Appends a default element to a list. */
struct wire_value *value_push(struct wire_msg *m, struct wire_value *list);
