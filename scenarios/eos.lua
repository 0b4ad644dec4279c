-- controller -> input -> N transactional copiers -> output -> controller
-- Claim: with read_committed every id written to `input` arrives in `output` exactly once,
-- although any worker may die (kill -9) at any point while it handles a message.
-- Below the scenario stand its twins: the same system with one planted bug each.

---@param isolation "read_committed"|"read_uncommitted"
local function controller(isolation)
  ---@param c kaos.Ctx
  return function(c)
    local producer = c:producer { idempotent = true }
    local consumer = c:consumer { topics = "output", isolation = isolation }

    c:spawn(function()                                 -- a coroutine in the same process
      for n = 1, c.params.ids do
        producer:send("input", { key = n % 64, value = n })
        c:pace(c.params.rate)                          -- open model: the planned rate,
                                                       -- even if acks are slow
      end
      c:done "all ids sent"
    end)

    for m in consumer:messages() do c:log("got %s", m.value) end -- ends when the drain is complete
  end
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
    local ok, why = tx:commit()                        -- offsets and messages, one transaction
    if not ok then
      w:reached "a transaction was aborted"
      w:log("aborted: %s", why)
    end
  end
end

local function topics(existing)
  return {
    input  = { partitions = 4, replicas = 3, existing = existing },
    output = { partitions = 4, replicas = 3, existing = existing },
  }
end

local function conf(extra)
  local t = { ["session.timeout.ms"] = param "session",
              ["transaction.timeout.ms"] = param "transaction" }
  for k, v in pairs(extra or {}) do t[k] = v end
  return t
end

local inside <const> = { "before_offsets", "after_offsets", "before_commit" }

scenario "eos" {
  doc     = "consume-transform-produce under crashes and rebalances is exactly-once",
  tags    = { "eos", "txn" },
  params  = { -- short ones, for many seeds, are in script/soak
    workers = 3, ids = 2000, rate = "40/s", crash_p = 0.02, abort_p = 0.005,
    session = { 2000, "time-out of the group's members, ms" },
    transaction = { 10000, "time-out of transactions, ms" },
    restart = { "1s", "a worker that died is started again after" },
    rebalance = "5s..10s", pause = "15s", inside = "10s..20s",
    hold = { "4s..6s", "length of a pause: above the session, below the transaction" },
    existing = { false, "the topics are there already, on a cluster that is not kaos's own" },
  },
  topics  = topics(param "existing"),

  roles = {
    controller = controller "read_committed",
    worker     = { run = worker, count = param "workers", restart = param "restart",
                   conf = conf() },
  },

  faults = {
    crash     { role = "worker", p = param "crash_p", per = "message", point = "any" },
    rebalance { group = "copy", every = param "rebalance" },
    pause     { role = "worker", every = param "pause", hold = param "hold" },
    abort     { role = "worker", p = param "abort_p" },
    crash     { role = "worker", at = param "inside", point = inside },
  },

  expect = {
    always     "exactly once"      { exactly_once { from = "input", to = "output", id = "value" } },
    always     "no aborted reads"  { committed_only { topic = "output" } },
    eventually "every id arrives"  {
      no_loss { from = "input", to = "output", id = "value" }, within = "30s",
    },
    eventually "the group settles" { stable_group "copy", within = "20s" },
    sometimes  "died inside an open transaction" {
      crashed { role = "worker", point = inside },
    },
    sometimes  "a transaction was aborted",
  },
  stop = { after = "all ids sent", drain = "30s", timeout = "3m" },
}

---------------------------------------------------------------------------------------------- twins

-- The controller waits for the first of them, so that all is read while there are faults.
local function input(w, extra)
  return w:consumer { group = "copy", topics = "input", conf = extra,
                      on_assign = function() w:done "somebody reads" end }
end

local function copy(tx, batch)
  for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
end

local twins = {
  ["offsets-after"] = {
    doc = "offsets committed by the consumer after the transaction", fails_with = "duplicate",
    faults = { crash { role = "worker", p = 0.03, point = "after_commit" } },
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin()
        copy(tx, batch)
        if tx:commit() then consumer:commit() end
      end
    end,
  },
  ["plain-output"] = {
    doc = "output by a plain producer, offsets in the transaction", fails_with = "duplicate",
    faults = {
      crash { role = "worker", p = 0.02, point = "any" },
      abort { role = "worker", p = 0.02 },
    },
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true }
      local plain = w:producer { idempotent = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(plain, batch)
        plain:flush()
        tx:commit()
      end
    end,
  },
  ["no-rewind"] = {
    doc = "no rewind after an abort", fails_with = "lost",
    faults = { abort { role = "worker", p = 0.03 } },
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true, rewind = false }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(tx, batch)
        tx:commit()
      end
    end,
  },
  ["same-offset"] = {
    doc = "the offset of the last record instead of that offset + 1", fails_with = "duplicate",
    faults = { crash { role = "worker", p = 0.02, point = "any" } },
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(tx, batch)
        local last = {}                                -- by partition
        for _, m in ipairs(batch) do last[m.partition] = { m.topic, m.partition, m.offset } end
        local offsets = {}
        for _, o in pairs(last) do offsets[#offsets + 1] = o end
        tx:commit { offsets = offsets }
      end
    end,
  },
  ["offsets-before"] = {
    doc = "offsets committed before processing", fails_with = "lost",
    faults = {
      crash { role = "worker", p = 0.02, point = { "before_send", "after_send", "before_commit" } },
    },
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        consumer:commit()
        local tx <close> = producer:begin()
        copy(tx, batch)
        tx:commit()
      end
    end,
  },
  ["read-uncommitted"] = {
    doc = "the reader of the output reads uncommitted records", fails_with = "aborted_read",
    faults = { abort { role = "worker", p = 0.03 } },
    isolation = "read_uncommitted",
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(tx, batch)
        tx:commit()
      end
    end,
  },
  ["auto-commit"] = {
    doc = "auto-commit left on", fails_with = "lost",
    faults = {
      abort { role = "worker", p = 0.03 },
      crash { role = "worker", p = 0.01, point = "any" },
    },
    worker = function(w)
      local consumer = input(w, {
        ["enable.auto.commit"] = true, ["auto.commit.interval.ms"] = 100,
      })
      local producer = w:producer { transactional = true }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin()
        copy(tx, batch)
        tx:commit()
      end
    end,
  },
  ["stale-generation"] = {
    doc = "group metadata taken after the rebalance, no rebalance callback",
    fails_with = "duplicate",
    faults = { rebalance { group = "copy", every = "1s..2s" } },
    worker = function(w)
      local consumer = w:consumer { group = "copy", topics = "input", rebalance = "none" }
      local producer = w:producer { transactional = true, metadata = "now" }
      w:done "somebody reads"                          -- as far as it can know
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(tx, batch)
        w:sleep "50ms"
        tx:commit()
      end
    end,
  },
  ["shared-id"] = {
    doc = "one transactional.id for all workers", fails_with = "stall",
    faults = {},
    worker = function(w)
      local consumer, producer = input(w), w:producer { transactional = "eos-shared" }
      for batch in consumer:batches { max = 10, wait = "500ms" } do
        local tx <close> = producer:begin(consumer)
        copy(tx, batch)
        tx:commit()
      end
    end,
  },
}

for bug, twin in pairs(twins) do
  scenario("eos/" .. bug) {
    doc        = twin.doc,
    tags       = { "eos", "twin" },
    fails_with = twin.fails_with,
    params     = { workers = 3, ids = 300, rate = "60/s", session = 2000, transaction = 10000,
                   restart = "500ms" },
    topics     = topics(false),
    roles      = {
      controller = { run = controller(twin.isolation or "read_committed"),
                     start_after = "somebody reads" },
      worker     = { run = twin.worker, count = param "workers", restart = param "restart",
                     conf = conf() },
    },
    faults     = twin.faults,
    expect     = {
      always "exactly once" { exactly_once { from = "input", to = "output", id = "value" } },
      always "no aborted reads" { committed_only { topic = "output" } },
      eventually "it makes progress" { liveness {} },
    },
    stop       = { after = "all ids sent", drain = "20s", timeout = "2m" },
  }
end
