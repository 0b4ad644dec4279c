-- The exactly-once copy of eos.lua on three nodes. Each role that a node can have is hit once:
-- leader of an output partition, coordinator of the group, coordinator of a transactional id,
-- active controller. Which node that is, is asked of the cluster when the fault is due.

---@param c kaos.Ctx
local function source(c)
  local producer = c:producer { idempotent = true }
  for n = 1, c.params.ids do
    producer:send("input", { key = n % 64, value = n })
    c:pace(c.params.rate)
  end
  c:done "all ids sent"
end

---@param w kaos.Ctx
local function worker(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true }

  for batch in consumer:batches { max = 10, wait = "500ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
    local ok, why = tx:commit()
    if not ok then w:log("aborted: %s", why) end
  end
end

scenario "broker-roles" {
  doc     = "exactly-once holds while the nodes with a role in it freeze, die and stop",
  tags    = { "eos", "txn", "brokers" },
  cluster = { brokers = 3 },
  params  = { workers = 2, ids = 1200, rate = "40/s" },
  topics  = { input = { partitions = 4, replicas = 3 }, output = { partitions = 4, replicas = 3 } },

  roles = {
    source = source,
    worker = { run = worker, count = param "workers", restart = "1s",
               conf = { ["session.timeout.ms"] = 6000, ["transaction.timeout.ms"] = 10000 } },
  },

  faults = { -- one node at a time: a fault that is due waits until the last node serves again
    broker { action = "pause", node = "leader of output/0", at = "1s", hold = "2s" },
    broker { action = "kill", node = "group coordinator of copy", at = "3s", hold = "500ms" },
    broker { action = "pause", node = "transaction coordinator of worker", at = "5s", hold = "2s" },
    broker { action = "stop", node = "controller", at = "7s", hold = "500ms" },
  },

  expect = {
    always     "exactly once"     { exactly_once { from = "input", to = "output", id = "value" } },
    always     "no aborted reads" { committed_only { topic = "output" } },
    always     "every marker is in the log" { markers {} },
    eventually "every id arrives" {
      no_loss { from = "input", to = "output", id = "value" }, within = "60s",
    },
  },
  stop = { after = "all ids sent", drain = "60s", timeout = "2m" },
}
