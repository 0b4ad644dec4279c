-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, params = { ["a b"] = 1 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, params = { seed = 1 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, params = { f = print }, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, params = { n = { 3, min = 4 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, params = { n = { 3, "doc", max = "x" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = {} }, roles = { a = function() end }, params = { n = { "s", min = 1 } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "q" { topics = { x = {} }, roles = { a = function() end }, params = { n = {} }, expect = { no_loss { from = "x", to = "a" } } }
scenario "r" { topics = { x = {} }, roles = { a = function() end }, params = { 1 }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", param `a b`: "a b" is not a name (letters, digits and _)
--> error 3: scenario "u", param `seed`: this name is filled in by kaos, take another
--> error 4: scenario "v", param `f`: a function is not a number, string or boolean
--> error 5: scenario "w", param `n`: 3 is too small, at least 4
--> error 6: scenario "y", param `n`: max: "x" is not a number
--> error 7: scenario "z", param `n`: min: only numbers have limits
--> error 8: scenario "q", param `n`: nothing is not a number, string or boolean
--> error 9: scenario "r", params: entries have names, [1] has none
