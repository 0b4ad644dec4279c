/* SPDX-License-Identifier: Apache-2.0 */
/* The child side of a role: `kaos __role`, one instance in one incarnation. It is told what to do
 * on its control pipe (role/proto.h) and answers with its history alone. */
#pragma once

/** Reads frames from PROC_CONTROL_FD and runs the role. @return enum role_exit */
int role_main(int argc, char **argv);
