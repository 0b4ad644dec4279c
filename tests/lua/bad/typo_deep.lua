-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, cluster = { brokrs = 1 }, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, stop = { afetr = "done" }, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = { partition = 3 } }, roles = { a = function() end }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = { run = function() end, cuont = 2 } }, stop = {}, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, params = { n = { 3, mix = 1 } }, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t", cluster: unknown field `brokrs` (did you mean `brokers`?)
--> error 3: scenario "u", stop: unknown field `afetr` (did you mean `after`?)
--> error 4: scenario "v", topic `x`: unknown field `partition` (did you mean `partitions`?)
--> error 5: scenario "w", role `a`: unknown field `cuont` (did you mean `count`?)
--> error 6: scenario "y", param `n`: unknown field `mix` (did you mean `max`?)
