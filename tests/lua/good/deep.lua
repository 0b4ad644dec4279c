-- SPDX-License-Identifier: Apache-2.0
local t = {}
local top = t
for _ = 1, 200000 do
  t.next = {}
  t = t.next
end
scenario "t" { topics = { x = {} }, roles = { a = function() return top end },
  expect = { no_loss { from = "x", to = "a" } } }
--> note 8: file-level table `top` is read-only inside roles (a)
