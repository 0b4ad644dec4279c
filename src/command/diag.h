/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of the loader as lines of text: FILE:LINE: severity: message. */
#pragma once
#include <stdio.h>

#include "lua/load.h"

void diag_print(const struct load_diag *d, FILE *out);
/** Warnings and notes, to stderr. */
void diag_print_others(const struct load *l);
