-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, expect = { eventually "x" } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, expect = { sometimes "x" { no_loss { from = "x", to = "a" } } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x" { no_loss { from = "x", to = "a" }, within = "5s" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x" {} } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x", always "x" } }
scenario "z" { topics = { x = {} }, roles = { a = function() end }, expect = { no_loss } }
scenario "q" { topics = { x = {} }, roles = { a = function() end }, expect = { "exactly once" } }
scenario "r" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x" { "y" } } }
scenario "s" { topics = { x = {} }, roles = { a = function() end }, expect = { no_loss { from = "x", to = "a", id = "valeu" } } }
scenario "o" { topics = { x = {} }, roles = { a = function() end }, expect = { eventually "x" { no_loss { from = "x", to = "a" }, within = "90s" } } }
scenario "m" { topics = { x = {} }, roles = { a = function() end }, expect = { messages { topic = "x", at_least = 0 } } }
scenario "n" { topics = { x = {} }, roles = { a = function() end }, expect = { order { topic = "x", per = "keys" } } }
scenario "k" { topics = { x = {} }, roles = { a = function() end }, expect = { never "x" { atomic {} } } }
scenario "e" { topics = { x = {}, y = {} }, roles = { a = function() end }, expect = { always "x" { late { from = "x", to = "y", over = "5s" } } } }
scenario "f" { topics = { x = {} }, roles = { a = function() end }, expect = { held_back { over = "5s" } } }
scenario "g" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x" { together { topics = { "x", "xx" }, id = "key" } } } }
scenario "h" { topics = { x = {} }, roles = { a = function() end }, expect = { always "x" { unique { topic = "x" } } } }
--> error 2: scenario "t", expect[1] (eventually "x"): needs a predicate, write eventually "x" { ... }
--> error 3: scenario "u", expect[1] (sometimes "x"): no_loss is a promise, not an event: put it into `always` or `eventually`
--> error 4: scenario "v", expect[1] (always "x"): only `eventually` has `within`
--> error 5: scenario "w", expect[1] (always "x"): needs a predicate in { }, or no { } at all
--> error 6: scenario "y", expect[2]: "x" is also the name of expect[1]
--> error 7: scenario "z", expect[1]: a function is not a property (always "name" { ... }) or predicate (no_loss { ... })
--> error 8: scenario "q", expect[1]: "exactly once" is not a property (always "name" { ... }) or predicate (no_loss { ... })
--> error 9: scenario "r", expect[1] (always "x"): [1] is "y", not a predicate like no_loss { ... }
--> error 10: scenario "s", expect[1] (no_loss), id: "valeu" is not "value", "key", "header:NAME" or a function (did you mean `value`?)
--> error 12: scenario "m", expect[1] (messages), at_least: 0 is too small, at least 1
--> error 13: scenario "n", expect[1] (order), per: "keys" is not one of "key", "partition" (did you mean `key`?)
--> error 14: scenario "k", expect[1] (never "x"): atomic is a promise, not an event: put it into `always` or `eventually`
--> error 15: scenario "e", expect[1] (always "x"): late is an event, not a promise: put it into `sometimes` or `never`
--> error 16: scenario "f", expect[1]: held_back is an event, not a promise: put it into `sometimes` or `never`
--> error 17: scenario "g", expect[1] (together): no topic `xx` (did you mean `x`?)
--> error 18: scenario "h", expect[1] (unique): needs `id`
