-- SPDX-License-Identifier: Apache-2.0
local names = { "all ids snet" }
local function tell(w) w:done(names[1]) end
scenario "t" { topics = { x = {} }, roles = { a = function(w) tell(w) end },
  stop = { after = "all ids sent" },
  expect = { sometimes "aborted", no_loss { from = "x", to = "a" } } }
--> warning 4: scenario "t", stop, after: no role contains the name "all ids sent", who says w:done? (did you mean "all ids snet"?)
--> note 4: file-level table `names` is read-only inside roles (a)
--> warning 6: scenario "t", expect[1] (sometimes): no role contains the name "aborted", who says w:reached?
