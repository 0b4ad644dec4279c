-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "5..10s" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: kill.every: "5..10s": write the unit on both sides ("5s..10s")
