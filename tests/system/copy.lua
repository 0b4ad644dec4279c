-- SPDX-License-Identifier: Apache-2.0
-- A transactional copy, for the tests of the prompt.
local function writer(w)
  for i = 1, w.params.ids do
    w:send("input", { key = i % 8, value = i })
    w:pace "40/s"
  end
  w:done "sent"
end

local function worker(w)
  local consumer = w:consumer { group = "copy", topics = "input" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "100ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
    tx:commit()
  end
end

scenario "copy" {
  params = { ids = { 1000, "records", min = 1 } },
  topics = { input = { partitions = 3 }, output = { partitions = 3 } },
  roles  = { writer = writer, worker = { run = worker, count = 2, restart = "300ms" } },
  faults = { kill { role = "worker", every = "2s" } },
  expect = {
    always "exactly once" { exactly_once { from = "input", to = "output" } },
    always "no aborted reads" { committed_only { topic = "output" } },
  },
  stop = { after = "sent", drain = "30s" },
}

-- Sends everything twice.
local function twice(w)
  for m in w:messages "input" do
    for _ = 1, 2 do w:send("output", { from = m, key = m.key, value = m.value }) end
  end
end

scenario "copy/twice" {
  params = { ids = 50 },
  topics = { input = { partitions = 3 }, output = { partitions = 3 } },
  roles  = { writer = writer, worker = twice },
  expect = {
    always     "exactly once"  { exactly_once { from = "input", to = "output" } },
    eventually "all is copied" { no_loss { from = "input", to = "output" } },
  },
  stop = { after = "sent", drain = "20s" },
  fails_with = "duplicate",
}
