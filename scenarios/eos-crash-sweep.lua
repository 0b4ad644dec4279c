-- Claim: a transactional copier may die (kill -9) at every point of its work, and every input
-- still has exactly one output.
-- One fault for each crash point hits the first chance it gets, once. The controller goes on
-- sending until it has seen in the output that so many processes have died. The report has a row
-- for each point; a point that was not visited makes the run INCONCLUSIVE and is named.
-- The twin commits its offsets after the transaction. Only a death between both, at after_commit,
-- shows that: it is found because every point is visited.

local function points()
  return {
    "after_poll", "before_send", "after_send", "before_offsets", "after_offsets", "before_commit",
    "during_commit", "after_commit", "in_on_assign", "in_on_revoke",
  }
end

---@param c kaos.Ctx
local function controller(c)
  local producer = c:producer { idempotent = true }
  local consumer = c:consumer { topics = "output", isolation = "read_committed" }
  local starts, deaths = {}, 0

  c:spawn(function()
    for n = 1, c.params.ids do
      if deaths >= #points() then break end
      producer:send("input", { key = n % 64, value = n })
      c:pace(c.params.rate)
    end
    c:done "every fault has fired"
  end)

  for m in consumer:messages() do
    local worker, start = m:header "worker", math.tointeger(m:header "start")
    if start > (starts[worker] or 1) then
      deaths = deaths + start - (starts[worker] or 1)
      starts[worker] = start
    end
  end
end

---@param w kaos.Ctx
local function copy(w, tx, batch)
  for _, m in ipairs(batch) do
    tx:send("output", { from = m, key = m.key, value = m.value,
      headers = { { "worker", w.index }, { "start", w.incarnation } } })
  end
end

---@param w kaos.Ctx
local function worker(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 5 } do
    local tx <close> = producer:begin(consumer)
    copy(w, tx, batch)
    tx:commit()
  end
end

---@param w kaos.Ctx
local function offsets_after(w)
  local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 5 } do
    local tx <close> = producer:begin()
    copy(w, tx, batch)
    if tx:commit() then consumer:commit() end
  end
end

local function faults()
  -- the callbacks of the group are passed only if somebody else comes or goes
  local list = { rebalance { group = "copy", every = "1500ms..2500ms" } }
  for _, point in ipairs(points()) do
    list[#list + 1] = crash { role = "worker", point = point, p = 1, max = 1 }
  end
  return list
end

local function expectations()
  local list = {
    always "exactly once" { exactly_once { from = "input", to = "output", id = "value" } },
    always "no aborted reads" { committed_only { topic = "output" } },
  }
  for _, point in ipairs(points()) do
    list[#list + 1] = sometimes("died at " .. point) { crashed { role = "worker", point = point } }
  end
  return list
end

for name, run in pairs { ["eos-crash-sweep"] = worker,
                         ["eos-crash-sweep/offsets-after"] = offsets_after } do
  local twin = run == offsets_after
  scenario(name) {
    doc        = twin and "offsets committed after the transaction: found at after_commit"
                 or "exactly-once holds at every crash point, each of them visited",
    tags       = { "eos", "txn", "crash", twin and "twin" or "sweep" },
    fails_with = twin and "duplicate" or nil,
    params     = { workers = 3, ids = { 6000, "ids at most" }, rate = "60/s", session = 1000 },
    topics     = { input = { partitions = 6 }, output = { partitions = 3 } },
    roles      = {
      controller = controller,
      worker     = { run = run, count = param "workers", restart = "200ms",
                     conf = { ["session.timeout.ms"] = param "session",
                              ["transaction.timeout.ms"] = 5000 } },
    },
    faults     = faults(),
    expect     = expectations(),
    stop       = { after = "every fault has fired", drain = "20s", timeout = "2m" },
  }
end
