-- Claim: what a dead worker leaves open is ended at once by a successor with the same
-- transactional.id, and only at the time-out if the id is another one. Both are exactly-once.
-- Two workers copy the same input, each to a topic of its own: one keeps its id, one makes a new id
-- at each start. Both die in the middle of a transaction; the source goes on until it has seen
-- records of both successors.
-- Each is alone in its group: when a rebalance comes while an open transaction blocks the committed
-- offset, librdkafka 2.0 may start at auto.offset.reset instead, and that is another story.
-- The twin asks of the new ids what only kept ids can do.

local TXN_TIMEOUT <const> = 6000
local SOON <const> = "4s"                   -- less than the time-out: the successor did it
local IN_THE_END <const> = "12s"            -- time-out, clean-up of the broker, a margin

---@param c kaos.Ctx
local function source(c)
  local producer = c:producer { idempotent = true }
  -- it must not wait for what is open, so it looks at everything
  local outputs = c:consumer {
    topics = { "output-kept", "output-new" }, isolation = "read_uncommitted",
  }
  c:spawn(function()
    for n = 1, math.maxinteger do                      -- until the drain
      producer:send("input", { key = n % 64, value = n })
      c:pace(c.params.rate)
    end
  end)
  local back = {}
  for m in outputs:messages() do
    back[m.topic] = back[m.topic] or m:header "start" ~= "1"
    if back["output-kept"] and back["output-new"] then c:done "both are back" end
  end
end

---@param w kaos.Ctx
---@param output string
---@param id string
local function copy(w, output, id)
  local consumer = w:consumer { group = output, topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = id }
  for batch in consumer:batches { max = 10 } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do
      tx:send(output, { from = m, key = m.key, value = m.value,
        headers = { { "start", w.incarnation } } })
    end
    producer:flush()                                   -- the records are in the log, open
    tx:commit()
  end
end

---@param w kaos.Ctx
local function keeps_id(w) copy(w, "output-kept", ("keeper-%d"):format(w.index)) end

---@param w kaos.Ctx
local function new_id(w)
  copy(w, "output-new", ("changer-%d-%d"):format(w.index, w.incarnation))
end

local function workers(run)
  return { run = run, restart = "300ms",
           conf = { ["session.timeout.ms"] = param "session",
                    ["transaction.timeout.ms"] = TXN_TIMEOUT } }
end

local function once(output)
  return exactly_once { from = "input", to = output, id = "value" }
end

local variants = {
  [""] = {
    doc    = "a kept transactional.id ends what was left at once, a new one at the time-out",
    expect = {
      always    "exactly once with kept ids" { once "output-kept" },
      always    "exactly once with new ids" { once "output-new" },
      never     "kept ids hold readers back" { held_back { topic = "output-kept", over = SOON } },
      never     "new ids hold readers back for ever" {
        held_back { topic = "output-new", over = IN_THE_END },
      },
      sometimes "new ids hold readers back" { held_back { topic = "output-new", over = SOON } },
      sometimes "a keeper died inside a transaction" {
        crashed { role = "keeper", point = "before_commit" },
      },
    },
  },
  ["/one-limit"] = {
    doc    = "new ids with the limit of kept ones", fails_with = "held_back",
    expect = {
      always "exactly once" { once "output-new" },
      never  "readers are held back" { held_back { over = SOON } },
    },
  },
}

for name, v in pairs(variants) do
  scenario("txn-id-recovery" .. name) {
    doc        = v.doc,
    tags       = { "eos", "txn", "recovery", v.fails_with and "twin" or "claim" },
    fails_with = v.fails_with,
    params     = { rate = "50/s", session = 1000 },
    topics     = {
      input = { partitions = 4 }, ["output-kept"] = { partitions = 2 },
      ["output-new"] = { partitions = 2 },
    },
    roles      = { source = source, keeper = workers(keeps_id), changer = workers(new_id) },
    faults     = {
      crash { role = "keeper", p = 0.05, max = 1, point = "before_commit" },
      crash { role = "changer", p = 0.05, max = 1, point = "before_commit" },
    },
    expect     = v.expect,
    stop       = { after = "both are back", drain = "20s", timeout = "2m" },
  }
end
