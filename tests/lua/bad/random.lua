-- SPDX-License-Identifier: Apache-2.0
local n = math.random(10)
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = "d" .. n, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: math.random() while loading: the file is loaded once in the runner and once in every worker, so it must give the same result each time; call it inside a role, or use a param
