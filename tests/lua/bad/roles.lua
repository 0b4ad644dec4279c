-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = {}, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = {} }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = { exec = { "java", "-jar", "a.jar" } } }, faults = { crash { role = "a", p = 0.1 } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = { run = function() end, conf = { ["group.id"] = "g" } } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = 5 }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = {} }, roles = { a = { run = "f" } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t": needs at least one role
--> error 3: scenario "u", role `a`: needs `run`, a function, or `exec`, a program
--> error 4: scenario "v", expect[1] (no_loss), to: role `a` is a program, what it sends and is given is not seen; name the topic that it writes or reads
--> error 4: scenario "v", faults[1] (crash): role `a` is a program, and crash happens inside a Lua role; use kill, pause or rebalance
--> error 5: scenario "w", role `a`, conf: `group.id` is set by kaos: write w:consumer { group = ... }
--> error 6: scenario "y", role `a`: needs a plain table { ... }, not 5
--> error 7: scenario "z", role `a`, run: "f" is not a function
