/* SPDX-License-Identifier: Apache-2.0 */
/* The network side: connections, frames, the order of answers. */
#pragma once
#include "broker/state.h"

/** Opens the listeners of all nodes. @return -1 with e. */
int front_open(struct broker *b, const struct broker_opts *o, struct err *e);
/** Closes listeners and connections. */
void front_close(struct broker *b);
