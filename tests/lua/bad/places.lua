-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, expect = { no_loss { from = "nosuch", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, expect = { committed_only "y" } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, expect = { no_loss { from = "x" } } }
scenario "w" { topics = { x = {} }, roles = { x = function() end }, expect = { no_loss { from = "x", to = "x" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, expect = { exactly_once { from = "x", to = "x" } } }
--> error 2: scenario "t", expect[1] (no_loss), from: no topic or role `nosuch`
--> error 3: scenario "u", expect[1] (committed_only), topic: no topic `y` (did you mean `x`?)
--> error 4: scenario "v", expect[1] (no_loss): needs `to`
--> error 5: scenario "w", expect[1] (no_loss), from: `x` is a topic and a role, rename one of them
--> error 6: scenario "y", expect[1] (exactly_once): `from` and `to` are the same
