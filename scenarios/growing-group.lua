-- A group that grows: five rounds of messages, and with each round one consumer more.
-- Claims: with an assignor that takes everything away (range) a consumer that finishes what it
-- has in hand and commits it before it lets go loses nothing and does nothing twice. With one that
-- moves only what it must (cooperative-sticky) the others work on meanwhile, and their generation
-- may be over before they have committed: there offsets and effects belong into one transaction.
-- At the end everybody has an equal share.
-- The twin commits now and then in the background and lets go at once: with each rebalance it does
-- again what it had done since its last commit.

local MOST <const> = 12 -- consumers for which a round is waited for

---@param w kaos.Ctx
local function writer(w)
  local n = 0
  for round = 1, w.params.rounds do
    for _ = 1, w.params.messages do
      n = n + 1
      w:send("numbers", { partition = n % w.params.partitions, value = n })
      w:pace(w.params.rate)
    end
    w:done(("round %d"):format(round))
  end
  w:done "all rounds"
end

-- The first consumer starts with the run, each other one after a round.
local START = { "0s" }
for k = 1, MOST do START[k + 1] = ("round %d"):format(k) end

-- Notes who gains and loses how much. Nobody dies here: a second incarnation is the probe that
-- kaos starts when all is over.
local function shares(w, change)
  return function(partitions)
    if w.incarnation > 1 then return end
    w:emit("share", { member = w.index, change = change * #partitions, all = w.params.partitions })
    if change > 0 and #partitions > 0 and w.index > 1 then w:reached "a newcomer got partitions" end
  end
end

-- What is done and not committed yet, by partition. A commit in the middle of a rebalance is
-- refused, so it has to be made again.
local function ledger()
  local open, asked = {}, {}
  return {
    note = function(m) open[m.partition] = { m.topic, m.partition, m.offset + 1 } end,
    forget = function(partitions)
      for _, p in ipairs(partitions) do open[p[2]], asked[p[2]] = nil, nil end
    end,
    commit = function(consumer)
      local list = {}
      for _, position in pairs(open) do list[#list + 1] = position end
      open, asked = {}, open
      local ok = #list == 0 or consumer:commit(list)
      for partition, position in pairs(not ok and asked or {}) do
        open[partition] = open[partition] or position
      end
      return ok
    end,
  }
end

---@param w kaos.Ctx
local function careful(w)
  local busy, done, consumer = false, ledger(), nil
  local got, lost = shares(w, 1), shares(w, -1)
  local function settle()                              -- before anything changes
    while busy do w:sleep "5ms" end
    for _ = 1, 20 do
      if done.commit(consumer) then return end
      w:sleep "50ms"
    end
  end
  consumer = w:consumer {
    group = "readers", topics = "numbers",
    on_assign = function(partitions) settle() got(partitions) end,
    on_revoke = function(partitions) settle() lost(partitions) end,
    on_lost = function(partitions) done.forget(partitions) lost(partitions) end,
  }
  for batch in consumer:batches { max = 10 } do
    busy = true
    for _, m in ipairs(batch) do
      w:sleep "5ms"                                    -- the work
      done.note(m)
    end
    done.commit(consumer)
    busy = false
  end
end

---@param w kaos.Ctx
local function hasty(w)
  local over, done = false, ledger()
  local lost = shares(w, -1)
  local function let_go(partitions) done.forget(partitions) lost(partitions) end
  local consumer = w:consumer {
    group = "readers", topics = "numbers",
    on_assign = shares(w, 1), on_revoke = let_go, on_lost = let_go,
  }
  local messages = consumer:messages()
  w:spawn(function()
    while not over do
      w:sleep "1100ms"                                 -- not in step with the rounds
      done.commit(consumer)
    end
  end)
  for m in messages do
    done.note(m)
    w:sleep "5ms"
  end
  over = true
end

---@param w kaos.Ctx
local function transactional(w)
  local lost = shares(w, -1)
  local consumer = w:consumer {
    group = "readers", topics = "numbers",
    on_assign = shares(w, 1), on_revoke = lost, on_lost = lost,
  }
  local producer = w:producer { transactional = true }
  for batch in consumer:batches { max = 10, wait = "20ms" } do
    local tx <close> = producer:begin(consumer)
    for _, m in ipairs(batch) do tx:send("copies", { from = m, key = m.key, value = m.value }) end
    w:sleep "20ms"                                     -- the work
    tx:commit()
  end
end

-- Who owns how many partitions, when last each had one owner: not in the middle of a rebalance, nor
-- when the members leave, one before the other, at the end of the run.
local even = invariant "everybody has an equal share" {
  on    = "share",
  init  = function() return { of = {}, settled = {} } end,
  step  = function(s, ev)
    s.of[ev.member] = (s.of[ev.member] or 0) + ev.change
    local least, most, sum, members = ev.all, 0, 0, 0
    for _, n in pairs(s.of) do
      least, most, sum, members = math.min(least, n), math.max(most, n), sum + n, members + 1
    end
    if sum == ev.all then
      s.settled = { least = least, most = most, members = members, event = ev }
    end
    s.members, s.last = members, ev
  end,
  final = function(s)
    local settled = s.settled
    if settled.members ~= s.members then
      return violation("with all %d members, some partition never had one owner", s.members,
                       { s.last })
    end
    if settled.most - settled.least > 1 then
      return violation("one member owns %d partitions, another %d", settled.most, settled.least,
                       { settled.event })
    end
  end,
}

local function system(run, strategy)
  return {
    tags   = { "group", "delivery" },
    params = {
      rounds = { 5, "and as many consumers", min = 1, max = MOST }, messages = 50, partitions = 5,
      rate = "60/s",
    },
    topics = { numbers = { partitions = param "partitions" } },
    roles  = {
      writer = writer,
      reader = { run = run, count = param "rounds", start_after = START,
                 conf = { ["partition.assignment.strategy"] = strategy,
                          ["session.timeout.ms"] = 8000 } },
    },
    expect = {
      eventually "the group settles" { stable_group "readers" },
      sometimes  "a newcomer got partitions",
      always     "everybody has an equal share" { even },
    },
    stop   = { after = "all rounds", drain = "20s", timeout = "1m" },
  }
end

local function claim(sc, property) sc.expect[#sc.expect + 1] = property end

local eager = system(careful, "range")
eager.doc = "a growing group loses nothing and does nothing twice: it commits before it lets go"
claim(eager, always "nothing is done twice" { no_duplicates { from = "numbers", to = "reader" } })
claim(eager, eventually "nothing is lost" { no_loss { from = "numbers", to = "reader" } })
scenario "growing-group/range" (eager)

local cooperative = system(transactional, "cooperative-sticky")
cooperative.doc = "a growing group loses nothing and does nothing twice: its work is transactional"
cooperative.tags[#cooperative.tags + 1] = "txn"
cooperative.topics.copies = { partitions = param "partitions" }
claim(cooperative, always "everything is done once" {
  exactly_once { from = "numbers", to = "copies" },
})
scenario "growing-group/cooperative-sticky" (cooperative)

local wrong = system(hasty, "range")
wrong.doc = "a growing group does nothing twice although it commits in the background"
wrong.tags[#wrong.tags + 1] = "twin"
wrong.fails_with = "duplicate"
wrong.params.messages = 80
claim(wrong, always "nothing is done twice" { no_duplicates { from = "numbers", to = "reader" } })
scenario "growing-group/background-commits" (wrong)
