-- Claim: late is not lost. A worker with a new transactional.id at each start dies inside a
-- transaction: nobody can end it, so readers wait until the broker does at its time-out. Ids then
-- come seconds later, all of them. The controller goes on until such a worker is back.
-- The twins: a controller that takes what is late for lost gives a false alarm (the finding is
-- `late`), and a worker that commits its offsets first really loses (the finding is `lost`).

local TXN_TIMEOUT <const> = 4000
local LIMIT <const> = "2s"                             -- more than a healthy id takes

---@param c kaos.Ctx
local function controller(c)
  local producer = c:producer { idempotent = true }
  local consumer = c:consumer { topics = "output", isolation = "read_committed" }
  c:spawn(function()
    for n = 1, math.maxinteger do                      -- until the drain
      producer:send("input", { key = n % 64, value = n })
      c:pace(c.params.rate)
    end
  end)
  for m in consumer:messages() do c:log("got %s", m.value) end
end

---@param offsets "in the transaction"|"before"
local function worker(offsets)
  ---@param w kaos.Ctx
  return function(w)
    local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
    -- an id of its own for each start
    local id = ("late-worker-%d-%d"):format(w.index, w.incarnation)
    local producer = w:producer { transactional = id }
    for batch in consumer:batches { max = 10 } do
      if w.incarnation > 1 then w:done "a worker died and came back" end
      if offsets == "before" then consumer:commit() end
      local tx <close> = producer:begin(offsets ~= "before" and consumer or nil)
      for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
      producer:flush()                                 -- the records are in the log, open
      tx:commit()
    end
  end
end

local function once()
  return exactly_once { from = "input", to = "output", id = "value" }
end

local function came_late()
  return late { from = "input", to = "output", id = "value", over = LIMIT }
end

local variants = {
  [""] = {
    doc    = "ids behind an abandoned transaction are late, and none is lost",
    run    = worker "in the transaction",
    expect = {
      always     "exactly once" { once() },
      eventually "every id arrives" { no_loss { from = "output", to = "controller" } },
      sometimes  "an id was late" { came_late() },
      sometimes  "died inside a transaction" {
        crashed { role = "worker", point = "before_commit" },
      },
    },
  },
  ["/false-alarm"] = {
    doc    = "the belief that an id which is not back in time is lost", fails_with = "late",
    run    = worker "in the transaction",
    expect = {
      always "exactly once" { once() },
      never  "an id is missing after the limit" { came_late() },
    },
  },
  ["/loses"] = {
    doc    = "offsets committed before the transaction", fails_with = "lost",
    run    = worker "before", point = "after_send",
    expect = { always "exactly once" { once() } },
  },
}

for name, v in pairs(variants) do
  scenario("late-vs-lost" .. name) {
    doc        = v.doc,
    tags       = { "eos", "txn", "late", v.fails_with and "twin" or "claim" },
    fails_with = v.fails_with,
    params     = { workers = 2, rate = "50/s", session = 1000 },
    topics     = { input = { partitions = 4 }, output = { partitions = 2 } },
    roles      = {
      controller = controller,
      worker     = { run = v.run, count = param "workers", restart = "200ms",
                     conf = { ["session.timeout.ms"] = param "session",
                              ["transaction.timeout.ms"] = TXN_TIMEOUT } },
    },
    faults     = {
      crash { role = "worker", p = 0.08, max = 2, point = v.point or "before_commit" },
    },
    expect     = v.expect,
    stop       = { after = "a worker died and came back", drain = "20s", timeout = "2m" },
  }
end
