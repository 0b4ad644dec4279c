-- Retries that keep the order of each key. An order that fails is parked in `retry`; while orders
-- of its customer wait there, later ones of the same customer queue up behind it. A retrier works
-- `retry` off and says in `released` that one is done. Who fails for good goes to `dlq`.
--
--   orders -> main -> output        main knows from a table (customer -> how many wait) who is
--               \-> retry -> retrier -> output | dlq   parked; it is in main's memory and, by
--               <- released <-/                        the same transactions, in topic `table`
--
-- Claim: the orders of a customer take effect in the order in which they came, each one ends
-- exactly once in `output` or in `dlq`, although any process dies at any point: whoever takes a
-- partition over reads the table first, up to a mark of its own, so that it has seen all that was
-- committed.
-- The twin begins with an empty table.

local MAX_TRIES <const> = 4

-- The business effect of an order, at the first try or a later one.
---@param w kaos.Ctx
---@param tx kaos.Tx
---@param m kaos.Message
---@param try integer                                  0 on the main path
local function handle(w, tx, m, try)
  if w:chance(w.params.poison, "poison", m.value) then return nil, "poison" end
  if w:chance(try == 0 and w.params.fails or 0.4, "fails", m.value, try) then
    return nil, "a hiccup"
  end
  tx:emit("effect", { key = m.key, seq = math.tointeger(tonumber(m.value)) })
  tx:send("output", { from = m, key = m.key, value = m.value })
  return true
end

---@param w kaos.Ctx
local function shop(w)
  for n = 1, w.params.orders do
    local customer = ("customer-%d"):format(w:int(1, w.params.customers, "customer", n))
    w:send("orders", { key = customer, value = n })
    w:pace(w.params.rate)
  end
  w:done "all orders sent"
end

-- The table as its topic has it, read on and on. Returns a function that waits until everything
-- committed so far in these partitions has been read, and gives a copy.
---@param w kaos.Ctx
local function table_view(w)
  local reader = w:consumer { topics = "table", group = false, isolation = "read_committed" }
  local rows, marks, n = {}, {}, 0
  w:spawn(function()
    for m in reader:messages() do
      local mark = m:header "mark"
      if mark then marks[mark] = true else rows[m.key] = math.tointeger(tonumber(m.value)) end
    end
  end)
  return function(partitions)
    local wanted = {}
    n = n + 1
    for _, partition in ipairs(partitions) do
      local mark = ("%d.%d.%d.%d"):format(w.index, w.incarnation, n, partition)
      wanted[#wanted + 1] = mark
      w:send("table", { partition = partition, headers = { { "mark", mark } } })
    end
    for _, mark in ipairs(wanted) do
      while not marks[mark] do w:sleep "5ms" end
    end
    local copy = {}
    for key, count in pairs(rows) do copy[key] = count end
    return copy
  end
end

local function numbers(partitions)
  local list = {}
  for _, p in ipairs(partitions) do
    if p[1] == "orders" then list[#list + 1] = p[2] end
  end
  return list
end

---@param rebuilds boolean  a new owner reads the table first
local function main(rebuilds)
  ---@param w kaos.Ctx
  return function(w)
    local parked = w:table "parked"
    local read = table_view(w)
    local out = w:producer { transactional = true }

    local function rebuild(partitions)
      local fresh = rebuilds and read(partitions) or {}
      for key in pairs(parked) do parked[key] = nil end
      for key, count in pairs(fresh) do parked[key] = count end
    end

    local consumer = w:consumer {
      group = "main", topics = { "orders", "released" },
      conf = { ["group.instance.id"] = "main-" .. w.index },
      on_assign = function(partitions)
        rebuild(numbers(partitions))
        w:done "main is ready"
      end,
    }
    for batch in consumer:batches { max = 10, wait = "20ms" } do
      local tx <close> = out:begin(consumer)
      local changed = {}
      for _, m in ipairs(batch) do
        local waiting = parked[m.key] or 0
        if m.topic == "released" then
          changed[m.key] = waiting - 1
        elseif waiting > 0 then
          w:reached "queued up behind an earlier failure"
          changed[m.key] = waiting + 1
          tx:send("retry", { from = m, key = m.key, value = m.value })
        elseif not handle(w, tx, m, 0) then
          changed[m.key] = 1
          tx:send("retry", { from = m, key = m.key, value = m.value })
        end
        parked[m.key] = changed[m.key] or waiting
      end
      for key, count in pairs(changed) do tx:send("table", { key = key, value = count }) end
      if not tx:commit() then rebuild { 0, 1 } end         -- what is in memory did not happen
    end
  end
end

---@param w kaos.Ctx
local function retrier(w)
  local consumer = w:consumer { group = "retry", topics = "retry",
                                conf = { ["group.instance.id"] = "retrier-" .. w.index } }
  local out = w:producer { transactional = true }
  for batch in consumer:batches { max = 1 } do         -- one at a time keeps the order
    local m = batch[1]
    local tx <close> = out:begin(consumer)
    local ok, why
    for try = 1, MAX_TRIES do
      w:sleep(w.params.delay)
      ok, why = handle(w, tx, m, try)
      if ok or why == "poison" then break end
    end
    if not ok then
      tx:send("dlq", { from = m, key = m.key, value = m.value, headers = { { "error", why } } })
    end
    tx:send("released", { key = m.key })
    tx:commit()
  end
end

-- A fold over what the processes emitted; it counts what was committed.
local in_order = invariant "the orders of a customer take effect in their order" {
  on   = "effect",
  init = function() return {} end,
  step = function(last, ev)
    local prev = last[ev.key]
    if prev and prev.seq >= ev.seq then
      return violation("%s: order %d took effect after order %d", ev.key, ev.seq, prev.seq,
        { prev, ev })
    end
    last[ev.key] = ev
  end,
}

local function role(run)
  return { run = run, count = 2, restart = "100ms",
           conf = { ["session.timeout.ms"] = param "session",
                    ["transaction.timeout.ms"] = 8000,
                    ["partition.assignment.strategy"] = "range" } } -- same number, same owner
end

local TOPIC = { partitions = 2 }

local function system(rebuilds, delay, crashes)
  return {
    tags   = { "errors", "order", "txn" },
    params = { orders = 150, customers = 6, rate = "40/s", fails = 0.12, poison = 0.03,
               delay = delay, session = 5000 },
    topics = { orders = TOPIC, retry = TOPIC, released = TOPIC, table = TOPIC, output = TOPIC,
               dlq = { partitions = 1 } },
    roles  = {
      shop    = { run = shop, start_after = "main is ready" },
      main    = role(main(rebuilds)),
      retrier = role(retrier),
    },
    faults = {
      crash { role = "main", p = 0.08, point = { "before_commit", "after_commit" },
              max = crashes },
      crash { role = "retrier", p = 0.3, point = "any", max = 2 },
    },
    expect = {
      always "the order of each customer" { in_order },
      sometimes "queued up behind an earlier failure",
      sometimes "the table died with its owner" { crashed { role = "main" } },
    },
    stop   = { after = "all orders sent", drain = "30s", timeout = "1m" },
  }
end

local right = system(true, "25ms", 3)
right.doc = "retries keep the order of each key although the table of parked keys dies"
right.expect[#right.expect + 1] = always "every order takes effect or is given up" {
  accounted { from = "orders", to = { "output", "dlq" }, id = "value" },
}
right.expect[#right.expect + 1] = sometimes "an order was given up" {
  messages { topic = "dlq", at_least = 1 },
}
scenario "retry-order" (right)

-- slower retries and more deaths: one must come while somebody waits
local forgets = system(false, "100ms", 8)
forgets.doc = "retries keep the order of each key without reading the table of parked keys again"
forgets.tags[#forgets.tags + 1] = "twin"
forgets.fails_with = "invariant"
scenario "retry-order/forgets" (forgets)
