-- SPDX-License-Identifier: Apache-2.0
local f = load "return 1"
--> error 2: load is not available: scenarios reach no files, programs or network
