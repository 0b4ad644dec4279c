-- At most once: a member commits the offsets of a batch before it works on it.
-- Claim: no record has two effects, whoever dies and however often the group rebalances; a record
-- whose reader died between the commit and the work has none.
-- The twins: the same system with the claim that nothing is lost; and the other order of the two
-- steps (at least once), which does some work twice.

---@param w kaos.Ctx
local function writer(w)
  for n = 1, w.params.ids do
    w:send("input", { key = n, value = n })
    w:pace(w.params.rate)
  end
  w:done "all ids sent"
end

local function work(producer, batch)
  for _, m in ipairs(batch) do
    producer:send("output", { from = m, key = m.key, value = m.value })
  end
  producer:flush()
end

-- The writer waits for the first of them, so that all is read while there are faults.
---@param w kaos.Ctx
local function reader(w)
  return w:consumer {
    group = "work", topics = "input", on_assign = function() w:done "somebody reads" end,
  }
end

---@param w kaos.Ctx
local function commit_first(w)
  local consumer = reader(w)
  local producer = w:producer { idempotent = true }
  for batch in consumer:batches { max = 5, wait = "100ms" } do
    if consumer:commit() then work(producer, batch) end  -- not committed: another may work on it
  end
end

---@param w kaos.Ctx
local function commit_last(w)
  local consumer = reader(w)
  local producer = w:producer { idempotent = true }
  for batch in consumer:batches { max = 5, wait = "100ms" } do
    work(producer, batch)
    consumer:commit()
  end
end

local once = always "no record is worked on twice" {
  no_duplicates { from = "input", to = "output" },
}
local lossless = eventually "every record is worked on" {
  no_loss { from = "input", to = "output" },
}
local died_between = sometimes "died between the commit and the work" {
  crashed { role = "worker", point = { "after_commit", "before_send" } },
}

local variants = {
  ["at-most-once"] = {
    doc = "with the commit first no record is worked on twice, and some are not worked on at all",
    worker = commit_first, point = { "after_commit", "before_send" },
    expect = { once, died_between },
  },
  ["at-most-once/claims-no-loss"] = {
    doc = "with the commit first nothing is lost", fails_with = "lost",
    worker = commit_first, point = { "after_commit", "before_send" },
    expect = { once, lossless },
  },
  ["at-most-once/commit-last"] = {
    doc = "with the commit last no record is worked on twice", fails_with = "duplicate",
    worker = commit_last, point = "before_commit",
    expect = { once },
  },
}

for name, variant in pairs(variants) do
  scenario(name) {
    doc        = variant.doc,
    tags       = { "delivery", variant.fails_with and "twin" or nil },
    fails_with = variant.fails_with,
    params     = { workers = 2, ids = 160, rate = "60/s", crash_p = 0.1, session = 2000 },
    topics     = { input = { partitions = 2 }, output = { partitions = 2 } },
    roles      = {
      writer = { run = writer, start_after = "somebody reads" },
      worker = { run = variant.worker, count = param "workers", restart = "300ms",
                 conf = { ["session.timeout.ms"] = param "session" } },
    },
    faults     = {
      crash { role = "worker", p = param "crash_p", point = variant.point, max = 2 },
      rebalance { group = "work", every = "400ms..1s" },
    },
    expect     = variant.expect,
    stop       = { after = "all ids sent", drain = "20s", timeout = "1m" },
  }
end
