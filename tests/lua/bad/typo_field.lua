-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end }, fault = {}, expect = { no_loss { from = "x", to = "a" } } }
--> error 2: scenario "t": unknown field `fault` (did you mean `faults`?)
