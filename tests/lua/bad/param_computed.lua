-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, params = { n = 1 }, doc = "n is " .. param "n", expect = { no_loss { from = "x", to = "a" } } }
--> error 2: param "n" is a promise that is kept when the run starts: it can stand for a value, but not be computed with; inside a role write w.params.n
