-- SPDX-License-Identifier: Apache-2.0
scenario "t" { topics = { x = {} }, roles = { a = function() end },
  expect = { no_loss { form = "x", to = "a" } } }
--> error 3: no_loss: unknown field `form` (did you mean `from`?)
