-- SPDX-License-Identifier: Apache-2.0
local limit = 1
scenario "t" { topics = { x = {} },
  roles = { a = function() limit = 2 end },
  expect = { always "few" { invariant "few" { on = "e", step = function(_, e)
    if e.n > limit then return violation "many" end
  end } } } }
--> error 4: role a assigns file-level `limit` (line 4), which a, invariant few also use: they are separate processes with separate copies
