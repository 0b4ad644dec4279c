/* SPDX-License-Identifier: Apache-2.0 */
/* How a run shows itself: --ui, and what the environment says of the terminal. */
#pragma once
#include "command/command.h"
#include "run/run.h"

/** --ui and --quiet. @return -1 after printing what is wrong. */
int ui_parse(const struct cli *c, enum run_ui *ui);
/** Does the locale of the environment know UTF-8? */
bool ui_utf8(void);
/** Not with NO_COLOR. */
bool ui_color(void);
