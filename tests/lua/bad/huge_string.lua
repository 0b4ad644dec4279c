-- SPDX-License-Identifier: Apache-2.0
local s = ("x"):rep(1 << 30)
--> error 0: not enough memory
