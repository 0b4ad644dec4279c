-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, faults = { pause { role = "a", every = "5s", hold = "a while" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: pause.hold: "a while" is not a duration ("250ms", "5s", "5s..10s")
