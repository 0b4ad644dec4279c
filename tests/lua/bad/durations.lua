-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, stop = { drain = 30 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, stop = { drain = "5s..10s" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, stop = { drain = "0s" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, stop = { timeout = "9000h" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, stop = { drain = "1.5ms" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "z" { topics = { x = {} }, roles = { a = function() end }, stop = { after = 5 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "r" { topics = { x = {} }, roles = { a = { run = function() end, restart = "nevr" } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "p" { topics = { x = {} }, roles = { a = function() end }, params = { d = 5 }, faults = { kill { role = "a", every = param "d" } }, expect = { no_loss { from = "x", to = "a" } } }
scenario "q" { topics = { x = {} }, roles = { a = function() end }, faults = { kill { role = "a", every = "0s" } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", stop, drain: a duration needs a unit, write "30s" or "30ms"
--> error 3: scenario "u", stop, drain: "5s..10s" is a range, one duration is needed here ("5s")
--> error 4: scenario "v", stop, drain: must be longer than 0
--> error 5: scenario "w", stop, timeout: "9000h" is longer than a year
--> error 6: scenario "y", stop, drain: "1.5ms" is finer than a millisecond
--> error 7: scenario "z", stop, after: a duration needs a unit, write "5s" or "5ms"
--> error 8: scenario "r", role `a`, restart: "nevr" is not a duration ("250ms", "5s", "5s..10s"), or "never"
--> error 9: scenario "p", faults[1] (kill), every: a duration needs a unit, write "5s" or "5ms"
--> error 10: scenario "q", faults[1] (kill), every: must be longer than 0
