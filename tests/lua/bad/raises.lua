-- SPDX-License-Identifier: Apache-2.0
local t = nil
local x = t.y
--> error 3: attempt to index a nil value (local 't')
