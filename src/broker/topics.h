/* SPDX-License-Identifier: Apache-2.0 */
/* Creating topics as clients and admins do. */
#pragma once
#include "broker/state.h"

/** A topic with the defaults for topics that appear by being named. */
struct topic *topics_auto_create(struct broker *b, const char *name);
