-- SPDX-License-Identifier: Apache-2.0
local t = {}
t.t = t
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = t, expect = { no_loss { from = "x", to = "a" } } }
scenario "u" { topics = { x = {} }, roles = { a = function() end }, cluster = t, expect = { no_loss { from = "x", to = "a" } } }
scenario "v" { topics = { x = {} }, roles = { a = function() end }, tags = t, expect = { no_loss { from = "x", to = "a" } } }
--> error 4: scenario "t", doc: a table is not a string
--> error 5: scenario "u", cluster: unknown field `t`
--> error 6: scenario "v", tags: a list of names, not a table with the field `t`
