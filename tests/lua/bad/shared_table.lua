-- SPDX-License-Identifier: Apache-2.0
local seen = {}
local function remember(id) seen[#seen + 1] = id end
scenario "t" { topics = { x = {} },
  roles = { writer = function() remember(1) end, reader = function(r) for _, s in ipairs(seen) do r:log(s) end end },
  expect = { no_loss { from = "x", to = "reader" } } }
--> note 4: file-level table `seen` is read-only inside roles (reader, writer)
