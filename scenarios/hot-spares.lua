-- More members than partitions: the ones too many stand idle until an owner dies.
-- Claim: whoever dies, a spare takes its partitions over within the session time-out and a
-- rebalance, and the work stays exactly once. The dead never come back, so that only spares can.
-- The twins: spares that read without a group work on everything a second time; owners that work on
-- although their session has ended do what their spare does; a session so long that the spare comes
-- too late.

---@param w kaos.Ctx
local function writer(w)
  for n = 1, w.params.ids do
    w:send("input", { key = n, value = n })
    w:pace(w.params.rate)
  end
  w:done "all ids sent"
end

---@param w kaos.Ctx
local function copier(w)
  local idle = false
  local consumer = w:consumer {
    group = "copy", topics = "input",
    on_assign = function(partitions)
      w:done "somebody reads"
      if #partitions == 0 then
        idle = true
        w:reached "a member stood idle"
      elseif idle then
        w:reached "a spare took over"
      end
    end,
  }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "50ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do
      tx:send("output", { from = m, key = m.key, value = m.value })
    end
    tx:commit()
  end
end

-- Effects outside of any transaction, and no look at who owns what.
---@param w kaos.Ctx
local function plain_copier(w)
  local consumer = w:consumer {
    group = "copy", topics = "input", on_assign = function() w:done "somebody reads" end,
  }
  local producer = w:producer { idempotent = true }
  for batch in consumer:batches { max = 10, wait = "50ms" } do
    for _, m in ipairs(batch) do
      w:sleep "40ms"                                   -- the work
      producer:send("output", { from = m, key = m.key, value = m.value })
    end
    producer:flush()
    consumer:commit()
  end
end

---@param w kaos.Ctx
local function loner(w)
  local consumer = w:consumer { group = "spares", topics = "input" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "50ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do
      tx:send("output", { from = m, key = m.key, value = m.value })
    end
    tx:commit()
  end
end

local TOPICS = { input = { partitions = 2 }, output = { partitions = 2 } }
local CONF = { ["session.timeout.ms"] = param "session", ["transaction.timeout.ms"] = 4000 }
local STOP = { after = "all ids sent", drain = "30s", timeout = "1m" }
local once = always "every id is copied once" { exactly_once { from = "input", to = "output" } }

local function deaths(n)
  return { crash { role = "copier", p = 0.05, point = "any", max = n } }
end

scenario "hot-spares" {
  doc    = "the partitions of a dead owner are taken over by members that stood idle",
  tags   = { "group", "txn" },
  params = { members = { 4, min = 3 }, ids = 240, rate = "40/s", session = 2000 },
  topics = TOPICS,
  roles  = {
    writer = { run = writer, start_after = "somebody reads" },
    copier = { run = copier, count = param "members", restart = "never", conf = CONF },
  },
  faults = deaths(2),
  expect = {
    once,
    always     "no partition is long without an owner" {
      takeover { group = "copy", within = "5s" },
    },
    eventually "the group settles" { stable_group "copy" },
    sometimes  "an owner died" { crashed { role = "copier" } },
    sometimes  "a member stood idle",
    sometimes  "a spare took over",
  },
  stop   = STOP,
}

scenario "hot-spares/late" {
  doc        = "a spare takes over within 3 s although the session lasts longer",
  tags       = { "group", "twin" },
  fails_with = "unowned",
  params     = { members = { 3, min = 3 }, ids = 200, rate = "40/s", session = 6000 },
  topics     = TOPICS,
  roles      = {
    writer = { run = writer, start_after = "somebody reads" },
    copier = { run = copier, count = param "members", restart = "never", conf = CONF },
  },
  faults     = deaths(1),
  expect     = {
    once,
    always "no partition is long without an owner" { takeover { group = "copy", within = "3s" } },
    sometimes "a member stood idle",
    sometimes "a spare took over",
  },
  stop       = STOP,
}

scenario "hot-spares/group-of-their-own" {
  doc        = "spares that are not members of the group wait for their turn",
  tags       = { "group", "twin" },
  fails_with = "duplicate",
  params     = { ids = 100, rate = "40/s", session = 2000 },
  topics     = TOPICS,
  roles      = {
    writer = { run = writer, start_after = "somebody reads" },
    copier = { run = copier, count = 2, conf = CONF },
    spare  = { run = loner, conf = CONF },
  },
  expect     = {
    once, sometimes "a member stood idle", sometimes "a spare took over",
  },
  stop       = STOP,
}

scenario "hot-spares/stale-owner" {
  doc        = "an owner whose session has ended does no harm, effects outside of transactions",
  tags       = { "group", "zombie", "twin" },
  fails_with = "duplicate",
  params     = { members = 3, ids = 240, rate = "40/s", session = 2000 },
  topics     = TOPICS,
  roles      = {
    writer = { run = writer, start_after = "somebody reads" },
    copier = { run = plain_copier, count = param "members", restart = "300ms", conf = CONF },
  },
  faults     = { pause { role = "copier", every = "1s..1500ms", hold = "3s..4s", max = 3 } },
  expect     = { once },
  stop       = STOP,
}
