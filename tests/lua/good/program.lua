-- SPDX-License-Identifier: Apache-2.0
scenario "program" {
  params = { size = 10 },
  topics = { input = {}, output = {} },
  roles = {
    seed = function(w) w:send("input", { value = 1 }) end,
    work = { exec = { "python3", "work.py", "--size={size}", param "size" }, count = 2,
      group = { "first", "second" }, build = "make work",
      env = { ID = "{role}-{index}-{incarnation}-{seed}@{bootstrap}", SIZE = param "size",
        JSON = '{"a": {size}, "b": {}}' } },
  },
  faults = {
    kill { role = "work", every = "1s" }, pause { role = "work", every = "1s", hold = "4s" },
    rebalance { group = "first", every = "5s" },
  },
  expect = { no_loss { from = "input", to = "output", id = "value" } },
}
