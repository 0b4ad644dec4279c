-- Where a reader starts: by policy (auto.offset.reset) where its group has no offset, by a position
-- of its own, by a time, or at the offset that was committed. The input is written in two halves;
-- the second is written when those who start at the end stand there.
-- Claim: each of them starts exactly where it should, in every partition, and misses nothing behind
-- that; without a policy a missing offset is an error, and nothing is delivered.
-- The twins: a reader that starts at the end claims to see everything; one that commits the last
-- offset in place of the next starts with a record that it has had.

local BASE <const> = 1700000000000 -- timestamp of the first record; one more second for each other

---@param from integer|nil  the half of which number
local function writer(from)
  ---@param w kaos.Ctx
  return function(w)
    local half = w.params.half
    for n = from * half, (from + 1) * half - 1 do
      for partition = 0, 1 do
        w:send("input", { partition = partition, key = n, value = n, timestamp = BASE + n * 1000 })
      end
    end
    w:done(from == 0 and "first half" or "second half")
  end
end

-- Reads on and commits. start: where the first record of each partition has to be.
---@param w kaos.Ctx
---@param name string
local function read(w, name, consumer, start)
  local seen, n = {}, 0
  for batch in consumer:batches { max = 20 } do
    for _, m in ipairs(batch) do
      if not seen[m.partition] then
        seen[m.partition] = true
        n = n + 1
        w:assert(m.offset == start[m.partition], "everybody starts where he should",
          { who = name, partition = m.partition, offset = m.offset, start = start[m.partition] })
        if n == 2 then w:reached(name) end
      end
    end
    consumer:commit()
  end
end

local function both(offset) return { [0] = offset, [1] = offset } end

local function conf(policy) return { ["auto.offset.reset"] = policy } end

-- Calls fn when the ends of both partitions were reached.
local function at_both_ends(fn)
  local ends, n = {}, 0
  return function(_, partition)
    if not ends[partition] then
      ends[partition] = true
      n = n + 1
      if n == 2 then fn() end
    end
  end
end

---@param w kaos.Ctx
local function earliest(w)
  local consumer = w:consumer { group = "earliest", topics = "input", conf = conf "earliest" }
  read(w, "earliest: at the first record", consumer, both(0))
end

-- Says that it stands at the end.
---@param w kaos.Ctx
local function latest(w)
  local consumer = w:consumer {
    group = "latest", topics = "input", conf = conf "latest",
    on_eof = at_both_ends(function() w:done "the latest stands at the end" end),
  }
  read(w, "latest: behind the last record", consumer, both(w.params.half))
end

-- A time that has not come yet: behind the last record, too.
---@param w kaos.Ctx
local function future(w)
  local consumer
  consumer = w:consumer {
    group = "future", topics = "input",
    on_eof = at_both_ends(function() w:done "the future stands at the end" end),
    on_assign = function(partitions)
      local starts = {}
      for i, p in ipairs(partitions) do
        local offset, why = consumer:offset_at(p[1], p[2], BASE + 3600 * 1000)
        assert(not why, tostring(why))
        starts[i] = { p[1], p[2], offset or "end" }
      end
      return starts
    end,
  }
  read(w, "a time to come: behind the last record", consumer, both(w.params.half))
end

-- No policy: an error, and the application has to know what it wants.
---@param w kaos.Ctx
local function none(w)
  local refused = false
  local strict = w:consumer {
    group = "none", topics = "input", conf = conf "error",
    on_error = function(e) refused = refused or e.code == "_AUTO_OFFSET_RESET" end,
  }
  w:spawn(function()
    for m in strict:messages() do
      w:assert(false, "everybody starts where he should", { who = "none", offset = m.offset })
    end
  end)
  while not refused do w:sleep "10ms" end
  w:reached "none: refused"
  strict:close()
  local consumer = w:consumer { group = "none", topics = "input", conf = conf "earliest" }
  read(w, "none: started by hand", consumer, both(0))
end

-- Positions of its own: an offset, and the first record at or behind a time.
---@param w kaos.Ctx
local function by_hand(w)
  local consumer
  consumer = w:consumer {
    group = "by-hand", topics = "input",
    on_assign = function()
      local offset = consumer:offset_at("input", 1, BASE + 11 * 1000 - 500)
      return { { "input", 0, 7 }, { "input", 1, offset } }
    end,
  }
  read(w, "by hand: at an offset and at a time", consumer, { [0] = 7, [1] = 11 })
end

-- A second consumer of a group goes on where the first one has committed.
---@param step integer  what is added to the offset of the last record
local function successor(step)
  ---@param w kaos.Ctx
  return function(w)
    local first = w:consumer { group = "successor", topics = "input", conf = conf "earliest" }
    local last, n = {}, 0
    for m in first:messages() do
      n = n + (last[m.partition] and 0 or 1)
      last[m.partition] = m.offset
      if n == 2 then break end
    end
    assert(first:commit { { "input", 0, last[0] + step }, { "input", 1, last[1] + step } })
    first:close()
    local second = w:consumer { group = "successor", topics = "input", conf = conf "error" }
    read(w, "committed: the next record", second, { [0] = last[0] + 1, [1] = last[1] + 1 })
  end
end

local function role(run) return { run = run, start_after = "first half" } end

local right_start = always "everybody starts where he should"

scenario "offset-reset" {
  doc    = "readers start exactly where policy, position, time or committed offset put them",
  tags   = { "offsets" },
  params = { half = { 30, "records of each half in each partition", min = 15 } },
  topics = { input = { partitions = 2 } },
  roles  = {
    writer    = writer(0),
    earliest  = role(earliest),
    latest    = role(latest),
    future    = { run = future, start_after = "the latest stands at the end" },
    writer2   = { run = writer(1), start_after = "the future stands at the end" },
    none      = role(none),
    by_hand   = role(by_hand),
    successor = role(successor(1)),
  },
  expect = {
    right_start,
    eventually "the earliest sees all" { no_loss { from = "input", to = "earliest" } },
    eventually "the latest sees the second half" { no_loss { from = "writer2", to = "latest" } },
    sometimes  "earliest: at the first record",
    sometimes  "latest: behind the last record",
    sometimes  "a time to come: behind the last record",
    sometimes  "none: refused",
    sometimes  "none: started by hand",
    sometimes  "by hand: at an offset and at a time",
    sometimes  "committed: the next record",
  },
  stop   = { after = "second half", drain = "20s", timeout = "30s" },
}

scenario "offset-reset/latest-sees-all" {
  doc        = "a reader that starts at the end sees what was written before it came",
  tags       = { "offsets", "twin" },
  fails_with = "lost",
  params     = { half = 15 },
  topics     = { input = { partitions = 2 } },
  roles      = {
    writer  = writer(0),
    writer2 = { run = writer(1), start_after = "the latest stands at the end" },
    latest  = role(latest),
  },
  expect     = {
    right_start,
    eventually "the latest sees all" { no_loss { from = "writer", to = "latest" } },
    sometimes  "latest: behind the last record",
  },
  stop       = { after = "second half", drain = "20s", timeout = "30s" },
}

scenario "offset-reset/commits-the-last" {
  doc        = "a reader that commits the offset of the last record goes on behind it",
  tags       = { "offsets", "twin" },
  fails_with = "assertion",
  params     = { half = 15 },
  topics     = { input = { partitions = 2 } },
  roles      = { writer = writer(0), successor = role(successor(0)) },
  expect     = { right_start, sometimes "committed: the next record" },
  stop       = { after = "first half", drain = "20s", timeout = "30s" },
}
