/* SPDX-License-Identifier: Apache-2.0 */
/* Record batches to be produced: right ones of the request's producer, or spoiled ones. */
#pragma once
#include "model.h"

void records_make(struct model *m, struct buf *out);
