-- Claim: work first, commit the offset afterwards: nothing is lost, though something may be done
-- twice. A plain worker (no transactions) dies between both; the source goes on until it is back.
-- The twins: the offset is committed first (what is in work when it dies is lost), and the same
-- right worker with the claim that it is exactly-once (it is not).

---@param c kaos.Ctx
local function source(c)
  for n = 1, math.maxinteger do                        -- until the drain
    c:send("input", { key = n % 16, value = n })
    c:pace(c.params.rate)
  end
end

---@param w kaos.Ctx
local function work(w, producer, batch)
  if w.incarnation > 1 then w:done "a worker died and came back" end
  for _, m in ipairs(batch) do
    producer:send("output", { from = m, key = m.key, value = m.value })
  end
  return producer:flush()
end

---@param w kaos.Ctx
local function commit_last(w)
  local consumer, producer = w:consumer { group = "work", topics = "input" }, w:producer {}
  for batch in consumer:batches { max = 5 } do
    if work(w, producer, batch) then consumer:commit() end
  end
end

---@param w kaos.Ctx
local function commit_first(w)
  local consumer, producer = w:consumer { group = "work", topics = "input" }, w:producer {}
  for batch in consumer:batches { max = 5 } do
    consumer:commit()
    work(w, producer, batch)
  end
end

local between = { point = "before_commit", role = "worker", p = 0.05, max = 2 }
local in_work = { point = "before_send", role = "worker", p = 0.05, max = 2 }

local variants = {
  [""] = {
    doc = "work, then commit: nothing is lost, and some of it is done twice",
    run = commit_last, crash = between,
    expect = {
      eventually "nothing is lost" { no_loss { from = "input", to = "output" } },
      sometimes "something was done twice" { repeated { from = "input", to = "output" } },
      sometimes "died between work and commit" {
        crashed { role = "worker", point = "before_commit" },
      },
    },
  },
  ["/commit-first"] = {
    doc = "the offset is committed before the work is done", fails_with = "lost",
    run = commit_first, crash = in_work,
    expect = { eventually "nothing is lost" { no_loss { from = "input", to = "output" } } },
  },
  ["/claims-exactly-once"] = {
    doc = "the right worker, and the claim that it is exactly-once", fails_with = "duplicate",
    run = commit_last, crash = between,
    expect = { always "exactly once" { exactly_once { from = "input", to = "output" } } },
  },
}

for name, v in pairs(variants) do
  scenario("at-least-once" .. name) {
    doc        = v.doc,
    tags       = { "at-least-once", v.fails_with and "twin" or "claim" },
    fails_with = v.fails_with,
    params     = { rate = "60/s", workers = 2, session = 1000 },
    topics     = { input = { partitions = 4 }, output = { partitions = 2 } },
    roles      = {
      source = source,
      worker = { run = v.run, count = param "workers", restart = "200ms",
                 conf = { ["session.timeout.ms"] = param "session" } },
    },
    faults     = { crash(v.crash) },
    expect     = v.expect,
    stop       = { after = "a worker died and came back", drain = "20s", timeout = "2m" },
  }
end
