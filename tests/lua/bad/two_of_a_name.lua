-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = "1", expect = { no_loss { from = "x", to = "a" } } }
scenario "t" { topics = { x = {} }, roles = { a = function() end }, doc = "2", expect = { no_loss { from = "x", to = "a" } } }
--> error 3: scenario "t": there is one of this name at two_of_a_name.lua:2
