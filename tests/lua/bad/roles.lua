-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = {}, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = {} }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = { exec = { "java", "-jar", "a.jar" } } }, faults = { crash { role = "a", p = 0.1 } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = { run = function() end, conf = { ["group.id"] = "g" } } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = 5 }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = {} }, roles = { a = { run = "f" } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t": needs at least one role
--> error 3: scenario "u", role `a`: `run` must be a function
--> error 4: scenario "v", faults[1] (crash): role `a` is a program, it has no crash points
--> error 4: scenario "v", role `a`, exec: programs as roles are not supported yet, write the role in Lua with `run`
--> error 5: scenario "w", role `a`, conf: `group.id` is set by kaos: write w:consumer { group = ... }
--> error 6: scenario "y", role `a`: needs a plain table { ... }, not 5
--> error 7: scenario "z", role `a`, run: "f" is not a function
