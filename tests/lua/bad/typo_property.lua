-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end },
  expect = { eventually "x" { no_loss { from = "x", to = "a" }, whithin = "5s" } } }
--> error 3: eventually "x": unknown field `whithin` (did you mean `within`?)
