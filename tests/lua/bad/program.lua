-- SPDX-License-Identifier: Apache-2.0
scenario "both" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { run = function() end, exec = { "p" } } } }
scenario "no list" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = "p" } } }
scenario "empty" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = {} } } }
scenario "no word" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = { "p", {} } } } }
scenario "lua group" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { run = function() end, group = "g" } } }
scenario "lua build" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { run = function() end, build = "make" } } }
scenario "typo" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = { "p" }, env = { B = "{bootstap}" } } } }
scenario "arg" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = { "p", "{nothing_like_it}" } } } }
scenario "ours" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = { "p" }, env = { KAOS_SEED = 1 } } } }
scenario "faults" { topics = { x = {}, y = {} }, expect = { no_loss { from = "x", to = "y", id = "value" } }, roles = { a = { exec = { "p" } } }, faults = { abort { role = "a", p = 1 }, exit { role = "a", at = "1s" } } }
scenario "preds" { topics = { x = {} }, roles = { a = { exec = { "p" } } }, expect = { no_loss { from = "a", to = "x" }, sometimes "d" { crashed "a" } } }
--> error 2: scenario "both", role `a`: give `run` (Lua) or `exec` (a program), not both
--> error 3: scenario "no list", role `a`, exec: "p" is not a list { "program", "argument", ... }
--> error 4: scenario "empty", role `a`, exec: names no program
--> error 5: scenario "no word", role `a`, exec: [2]: a table is not a string, number or boolean
--> error 6: scenario "lua group", role `a`, group: only a program (`exec`) has it
--> error 7: scenario "lua build", role `a`, build: only a program (`exec`) has it
--> error 8: scenario "typo", role `a`, env, `B`: nothing is filled in for `{bootstap}` (did you mean `bootstrap`?); there are {bootstrap} {role} {index} {incarnation} {seed} and the params
--> error 9: scenario "arg", role `a`, exec[2]: nothing is filled in for `{nothing_like_it}`; there are {bootstrap} {role} {index} {incarnation} {seed} and the params
--> error 10: scenario "ours", role `a`, env, `KAOS_SEED`: names with KAOS_ in front are set by kaos, take another
--> error 11: scenario "faults", faults[1] (abort): role `a` is a program, and abort happens inside a Lua role; use kill, pause or rebalance
--> error 11: scenario "faults", faults[2] (exit): role `a` is a program, and exit happens inside a Lua role; use kill, pause or rebalance
--> error 12: scenario "preds", expect[1] (no_loss), from: role `a` is a program, what it sends and is given is not seen; name the topic that it writes or reads
--> error 12: scenario "preds", expect[2] (crashed): role `a` is a program, it has no crash points
