-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "10s..5s" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: kill.every: "10s..5s" ends before it begins
