/* SPDX-License-Identifier: Apache-2.0 */
/* One readable line per request and answer. */
#pragma once
#include "broker/call.h"

void trace_request(const struct call *c);
void trace_answer(const struct call *c);
/** Something that happened to a connection without a call. */
void trace_note(struct broker *b, const char *peer, const char *text);
