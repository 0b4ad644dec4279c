-- Claim: a read_committed reader is given no record of an aborted transaction; read_uncommitted is
-- given them all. Two readers read the same log, one each way.
-- The writer aborts every third transaction by itself, and dies now and then in the middle of one.
-- The twin has a worker behind the log that does not ask for read_committed: it works on records
-- that were never committed.

---@param w kaos.Ctx
local function writer(w)
  local producer = w:producer { transactional = true }
  for n = 1, w.params.transactions do
    local tx <close> = producer:begin()
    for i = 1, 3 do
      local value = ("%d-%d-%d"):format(w.incarnation, n, i)
      tx:send("events", { key = ("key %d"):format(i), value = value })
    end
    producer:flush()                                   -- the records are in the log, open
    if n % 3 == 0 then tx:abort() else tx:commit() end
    w:pace(w.params.rate)
  end
end

---@param isolation "read_committed"|"read_uncommitted"
local function reader(isolation)
  ---@param r kaos.Ctx
  return function(r)
    local consumer, n = r:consumer { topics = "events", isolation = isolation }, 0
    for _ in consumer:messages() do n = n + 1 end
    r:log("%s: %d records", isolation, n)
  end
end

---@param w kaos.Ctx
local function careless(w)
  local consumer = w:consumer {
    group = "downstream", topics = "events", isolation = "read_uncommitted",
  }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10 } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("result", { from = m, key = m.key, value = m.value }) end
    tx:commit()
  end
end

local faults = {
  crash { role = "writer", p = 0.03, max = 3, point = { "after_send", "before_commit" } },
}
local writers = { run = writer, restart = "100ms" }

scenario "isolation" {
  doc    = "of the same log read_committed sees what is committed, read_uncommitted everything",
  tags   = { "txn", "isolation", "claim" },
  params = { transactions = 60, rate = "30/s" },
  topics = { events = { partitions = 2 } },
  roles  = {
    writer      = writers,
    committed   = reader "read_committed",
    uncommitted = reader "read_uncommitted",
  },
  faults = faults,
  expect = {
    always "only committed records" { committed_only { topic = "events", role = "committed" } },
    always "all committed records" { no_loss { from = "events", to = "committed" } },
    always "each of them once" { no_duplicates { from = "events", to = "committed" } },
    always "the other reader sees them too" { no_loss { from = "events", to = "uncommitted" } },
    sometimes "there are aborted records" { messages { topic = "events", aborted = true } },
    sometimes "the other reader sees those" {
      saw_aborted { topic = "events", role = "uncommitted" },
    },
    never "the committed reader sees one" { saw_aborted { topic = "events", role = "committed" } },
  },
  stop   = { drain = "20s", timeout = "1m" },
}

scenario "isolation/careless-downstream" {
  doc        = "a worker behind the log reads without read_committed",
  tags       = { "txn", "isolation", "twin" },
  fails_with = "aborted_read",
  params     = { transactions = 60, rate = "30/s" },
  topics     = { events = { partitions = 2 }, result = {} },
  roles      = { writer = writers, downstream = careless },
  faults     = faults,
  expect     = {
    always "only committed records" { committed_only { topic = "events", role = "downstream" } },
    always "one result for each" { exactly_once { from = "events", to = "result" } },
  },
  stop       = { drain = "20s", timeout = "1m" },
}
