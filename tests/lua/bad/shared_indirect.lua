-- SPDX-License-Identifier: Apache-2.0
local total = 0
local lib = { tools = {} }
function lib.tools.add() total = total + 1 end
local function read() return total end
scenario "t" { topics = { x = {} },
  roles = { a = function() lib.tools.add() end, b = function() return read() end },
  expect = { no_loss { from = "x", to = "b" } } }
--> error 4: role a assigns file-level `total` (line 4), which a, b also use: they are separate processes with separate copies
--> note 6: file-level table `lib` is read-only inside roles (a)
