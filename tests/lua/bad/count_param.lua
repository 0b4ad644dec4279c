-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = { run = function() end, count = param "wrokers" } }, params = { workers = 3 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = { run = function() end, count = param "workers" } }, params = { workers = 0 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = { run = function() end, count = param "workers" } }, params = { workers = "3" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = { run = function() end, conf = { ["session.timeout.ms"] = param "m" } } }, params = { n = 1 }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", role `a`, count: no param `wrokers` (did you mean `workers`?)
--> error 3: scenario "u", role `a`, count: 0 is too small, at least 1
--> error 4: scenario "v", role `a`, count: "3" is not a whole number
--> error 5: scenario "w", role `a`, conf, `session.timeout.ms`: no param `m` (did you mean `n`?)
