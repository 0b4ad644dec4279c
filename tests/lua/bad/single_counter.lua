-- SPDX-License-Identifier: Apache-2.0
local LIMIT <const> = 5
local tries = 0
local function bump() tries = tries + 1 return tries < LIMIT end
scenario "t" { topics = { x = {} }, roles = { a = function(w) while bump() do w:sleep "1s" end end, b = function(w) w:log(tostring(LIMIT)) end }, expect = { no_loss { from = "x", to = "a" } } }
--> warning 4: role a assigns file-level `tries` (line 4): lost when the process is killed
