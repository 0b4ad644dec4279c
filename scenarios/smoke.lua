-- Does every number get handled although readers are killed?
scenario "smoke" {
  doc    = "an at-least-once group handles every number although its members are killed",
  topics = { numbers = { partitions = 3 } },
  roles  = {
    writer = function(w) for i = 1, 100 do w:send("numbers", { value = i }); w:pace "20/s" end end,
    reader = { count = 2,
               run = function(w) for m in w:messages "numbers" do w:log("%d", m.value) end end },
  },
  faults = { kill { role = "reader", every = "1s..2s" } },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
