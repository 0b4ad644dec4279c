-- SPDX-License-Identifier: Apache-2.0
local m = setmetatable({}, { __index = function() error "touched" end, __pairs = function() error "touched" end, __tostring = function() error "touched" end })
scenario "t" { topics = { x = {} }, roles = { a = function() end }, stop = m, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, doc = m, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, faults = m, expect = { no_loss { from = "x", to = "a" } } }
scenario "w" { topics = { x = {} }, roles = { a = function() end }, params = { n = m }, expect = { no_loss { from = "x", to = "a" } } }
scenario "y" { topics = { x = {} }, roles = { a = function() end }, cluster = { config = m }, expect = { no_loss { from = "x", to = "a" } } }
scenario "z"(m)
--> error 3: scenario "t", stop: needs a plain table { ... }, not a table
--> error 4: scenario "u", doc: a table is not a string
--> error 5: scenario "v", faults: needs a list { ... }, not a table
--> error 6: scenario "w", param `n`: a table is not a number, string or boolean
--> error 7: scenario "y", cluster, config: a table is not a table of settings
--> error 8: scenario "z": needs a plain table { ... }
