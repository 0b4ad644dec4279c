-- A zombie: a worker that is stopped in the middle of a transaction and wakes up later. What guards
-- against it depends on how long it slept:
--   group   longer than the session, shorter than the transaction: the group has given its
--           partitions to somebody else, its transaction is still open; the generation must refuse
--           its offsets.
--   epoch   longer than both: its transaction was aborted for it; the epoch must refuse its commit.
-- With a replacement, a second process of the same identity runs while the first one sleeps and
-- takes over its transactional.id.

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

---@param claims boolean  the scenario expects that a commit is lost to a rebalance
local function worker(claims)
  ---@param w kaos.Ctx
  return function(w)
    local consumer = w:consumer { group = "copy", topics = "input", isolation = "read_committed" }
    local producer = w:producer { transactional = true }

    for batch in consumer:batches { max = 10, wait = "500ms" } do
      local tx <close> = producer:begin(consumer)
      for _, m in ipairs(batch) do tx:send("output", { from = m, key = m.key, value = m.value }) end
      w:sleep "100ms"                                -- work: a transaction is open most of the time
      local ok, why = tx:commit()
      if not ok then
        w:log("aborted: %s", why)
        if claims then w:reached "commit lost to a rebalance" end
      end
    end
  end
end

local sleeps = {
  group = { hold = "4s..5s", transaction = 20000 },
  epoch = { hold = "6s..7s", transaction = 3000 },
}

for name, sleep in pairs(sleeps) do
  for _, replace in ipairs { false, true } do
    local claims = name == "group" and not replace
    scenario("eos-zombie/" .. name .. (replace and "+replace" or "")) {
      doc    = "a worker that sleeps through "
               .. (name == "group" and "its session" or "its session and its transaction")
               .. (replace and ", replaced meanwhile," or "") .. " does no harm",
      tags   = { "eos", "txn", "zombie" },
      params = { workers = 3, ids = 800, rate = "40/s", session = 2000 },
      topics = { input  = { partitions = 4, replicas = 3 },
                 output = { partitions = 4, replicas = 3 } },
      roles  = {
        controller = controller,
        worker     = { run = worker(claims), count = param "workers", restart = "500ms",
                       conf = { ["session.timeout.ms"] = param "session",
                                ["transaction.timeout.ms"] = sleep.transaction } },
      },
      faults = {
        pause { role = "worker", every = "4s..6s", hold = sleep.hold, replace = replace },
      },
      expect = {
        always     "exactly once"      {
          exactly_once { from = "input", to = "output", id = "value" },
        },
        always     "no aborted reads"  { committed_only { topic = "output" } },
        eventually "every id arrives"  {
          no_loss { from = "input", to = "output", id = "value" }, within = "40s",
        },
        eventually "the group settles" { stable_group "copy", within = "40s" },
        claims and sometimes "commit lost to a rebalance"
          or eventually "it makes progress" { liveness {} },
      },
      stop   = { after = "all ids sent", drain = "45s", timeout = "3m" },
    }
  end
end
