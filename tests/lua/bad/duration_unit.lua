-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a",
 every = "5sec" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: kill.every: "5sec" has the unknown unit `sec` (did you mean `s`?), units are ms, s, m, h
