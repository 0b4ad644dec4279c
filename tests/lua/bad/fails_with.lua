-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, fails_with = "duplicates", expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, fails_with = { "lost", "cow" }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", fails_with: no finding `duplicates` (did you mean `duplicate`?)
--> error 3: scenario "u", fails_with: no finding `cow`
