-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "5" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: kill.every: a duration needs a unit, write "5s" or "5ms"
