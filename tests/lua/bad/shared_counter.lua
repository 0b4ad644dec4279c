-- SPDX-License-Identifier: Apache-2.0
local sent = 0
scenario "t" {
  topics = { x = {} },
  roles = {
    writer = function(w)
      for i = 1, 10 do
        w:send("x", { value = i })
        sent = sent + 1
      end
    end,
    reader = function(r)
      local got = 0
      for _ in r:messages "x" do
        got = got + 1
        if got == sent then return end
      end
    end,
  },
  expect = { no_loss { from = "x", to = "reader" } },
}
--> error 9: role writer assigns file-level `sent` (line 9), which reader, writer also use: they are separate processes with separate copies
