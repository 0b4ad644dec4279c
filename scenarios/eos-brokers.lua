-- The exactly-once copy of eos.lua on three nodes, while one node after the other is killed and
-- started again.

---@param c kaos.Ctx
local function controller(c)
  local producer = c:producer { idempotent = true }
  local consumer = c:consumer { topics = "output", isolation = "read_committed" }
  c:spawn(function()
    for n = 1, c.params.ids do
      producer:send("input", { key = n % 64, value = n })
      c:pace(c.params.rate)
    end
    c:done "all ids sent"
  end)
  for m in consumer:messages() do c:log("got %s", m.value) end
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

scenario "eos-brokers" {
  doc     = "exactly-once holds while broker nodes die and come back",
  tags    = { "eos", "txn", "brokers" },
  cluster = { brokers = 3 },
  params  = { workers = 3, ids = 2000, rate = "40/s", crash_p = 0.01, session = 6000 },
  topics  = { input = { partitions = 4, replicas = 3 }, output = { partitions = 4, replicas = 3 } },

  roles = {
    controller = controller,
    worker     = { run = worker, count = param "workers", restart = "1s",
                   conf = { ["session.timeout.ms"] = param "session",
                            ["transaction.timeout.ms"] = 10000 } },
  },

  faults = {
    broker { action = "kill", node = "any", every = "10s", hold = "3s" },
    crash  { role = "worker", p = param "crash_p", per = "message", point = "any" },
  },

  expect = {
    always     "exactly once"     { exactly_once { from = "input", to = "output", id = "value" } },
    always     "no aborted reads" { committed_only { topic = "output" } },
    always     "every marker is in the log" { markers {} },
    eventually "every id arrives" {
      no_loss { from = "input", to = "output", id = "value" }, within = "60s",
    },
  },
  stop = { after = "all ids sent", drain = "60s", timeout = "4m" },
}
