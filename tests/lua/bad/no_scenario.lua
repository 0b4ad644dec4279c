-- SPDX-License-Identifier: Apache-2.0
local x = 1
return x
--> error 0: declares no scenario, write scenario "name" { ... }
