-- SPDX-License-Identifier: Apache-2.0
local x = setmetatable({}, { __gc = function() end })
--> error 2: __gc is not available, use <close>
