-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function() end)
local it = coroutine.wrap(function() end)
scenario "t" { topics = { x = {} }, roles = { a = function() return co, it end }, expect = { no_loss { from = "x", to = "a" } } }
--> error 4: `co` is a thread and cannot exist in another process
--> error 4: `it` is a function with a state of its own and cannot exist in another process
