-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { b = function() end, a = function() end }, faults = { kill { role = "b1", every = "5s" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, faults = { crash { role = { "a", "c" }, p = 0.1 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, expect = { sometimes "died" { crashed { role = "aa" } } } }
--> error 2: scenario "t", faults[1] (kill): no role `b1` (did you mean `b`?)
--> error 3: scenario "u", faults[1] (crash): no role `c` (did you mean `a`?)
--> error 4: scenario "v", expect[1] (crashed): no role `aa` (did you mean `a`?)
