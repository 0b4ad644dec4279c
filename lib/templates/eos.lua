-- controller -> input -> N transactional copiers -> output -> controller
-- Claim: with read_committed every id written to `input` arrives in `output` exactly once,
-- although any worker may die (kill -9) at any point while it handles a message.

---@param c kaos.Ctx
local function controller(c)
  local producer = c:producer { idempotent = true }
  local consumer = c:consumer { topics = "output", isolation = "read_committed" }

  c:spawn(function()                                   -- a coroutine in the same process
    for n = 1, c.params.ids do
      producer:send("input", { key = n % 64, value = n })
      c:pace(c.params.rate)                            -- open model: the planned rate,
                                                       -- even if acks are slow
    end
    c:done "all ids sent"
  end)

  for m in consumer:messages() do c:log("got %s", m.value) end   -- ends when the drain is complete
end

---@param w kaos.Ctx
local function worker(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true } -- transactional.id = "eos-worker-<index>"

  for batch in consumer:batches { max = 10, wait = "500ms" } do
    local tx <close> = producer:begin(consumer)        -- leaving without commit aborts and rewinds
    for _, m in ipairs(batch) do
      tx:send("output", { from = m, key = m.key, value = m.value })
    end
    -- A bug to try: write `producer:begin()` above and commit the offsets afterwards, here, with
    -- `consumer:commit()`. Messages and offsets are then not in one transaction.
    local ok, why = tx:commit()                        -- offsets and messages, one transaction
    if not ok then
      w:reached "a transaction was aborted"
      w:log("aborted: %s", why)
    end
  end
end

scenario "eos" {
  doc     = "consume-transform-produce under crashes and rebalances is exactly-once",
  tags    = { "eos", "txn" },
  params  = { workers = 3, ids = 2000, rate = "40/s", crash_p = 0.02, session = 2000 },
  topics  = { input = { partitions = 4, replicas = 3 }, output = { partitions = 4, replicas = 3 } },

  roles = {
    controller = controller,
    worker     = { run = worker, count = param "workers", restart = "1s",
                   conf = { ["session.timeout.ms"] = param "session",
                            ["transaction.timeout.ms"] = 10000 } },
  },

  faults = {
    crash     { role = "worker", p = param "crash_p", per = "message", point = "any" },
    rebalance { group = "copy", every = "5s..10s" },
    -- longer than the session, shorter than the transaction
    pause     { role = "worker", every = "15s", hold = "4s..6s" },
    abort     { role = "worker", p = 0.005 },
  },

  expect = {
    always     "exactly once"      { exactly_once { from = "input", to = "output", id = "value" } },
    always     "no aborted reads"  { committed_only { topic = "output" } },
    eventually "every id arrives"  {
      no_loss { from = "input", to = "output", id = "value" }, within = "30s",
    },
    eventually "the group settles" { stable_group "copy", within = "20s" },
    sometimes  "died inside an open transaction" {
      crashed { role = "worker", point = { "before_offsets", "after_offsets", "before_commit" } },
    },
    sometimes  "a transaction was aborted",
  },
  stop = { after = "all ids sent", drain = "30s", timeout = "3m" },
}
