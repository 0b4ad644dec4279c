-- SPDX-License-Identifier: Apache-2.0
-- Retry topic + DLQ that must keep the order per key: once a message of key K is parked in
-- orders-retry, later messages of K must queue up behind it.

local MAX_TRIES <const> = 5

---@param w kaos.Ctx
---@param tx kaos.Tx
---@param m kaos.Message
---@param try integer                                   0 on the main path
local function handle(w, tx, m, try)                     -- the business effect
  if m.value.poison                   then return nil, "poison" end
  if w:chance(0.10, "transient error", m, try) then return nil, "transient" end
  -- in the history, counts only if tx commits
  tx:emit("effect", { key = m.key, seq = m.value.seq })
  return true
end

---@param p kaos.Ctx
local function producer(p)
  for n = 1, p.params.orders do
    local key = ("customer-%02d"):format(p:int(1, 20, "key", n))
    p:send("orders", { key = key, value = { seq = n, poison = p:chance(0.005, "poison", n) } })
  end
  p:done "sent"
end

---@param w kaos.Ctx
local function main(w)
  local consumer = w:consumer { group = "main", topics = { "orders", "orders-parked" } }
  local out      = w:producer { transactional = true }
  local parked   = w:table "parked"                       -- key -> how many messages wait in retry

  for batch in consumer:batches { max = 20 } do
    local tx <close> = out:begin(consumer)
    for _, m in ipairs(batch) do
      if m.topic == "orders-parked" then                  -- the retrier released one
        parked[m.key] = math.max(0, (parked[m.key] or 0) - 1)
      elseif (parked[m.key] or 0) > 0 then
        w:reached "parked behind an earlier failure"
        parked[m.key] = parked[m.key] + 1
        tx:send("orders-retry", m)
      elseif not handle(w, tx, m, 0) then
        parked[m.key] = 1
        tx:send("orders-retry", m)
      end
    end
    tx:commit()
  end
end

---@param w kaos.Ctx
local function retrier(w)
  local consumer = w:consumer { group = "retry", topics = "orders-retry" }
  local out      = w:producer { transactional = true }
  for batch in consumer:batches { max = 1 } do            -- one at a time keeps the order
    local m  = batch[1]
    local tx <close> = out:begin(consumer)
    local ok, why
    for try = 1, MAX_TRIES do
      ok, why = handle(w, tx, m, try)
      if ok or why == "poison" then break end
      w:sleep("50ms")
    end
    if not ok then tx:send("orders-dlq", m) end
    tx:send("orders-parked", { key = m.key })
    tx:commit()
  end
end

-- An invariant is a fold over history events; it lives in the checker, not in any worker.
local in_order = invariant "effects keep the order of their key" {
  on   = "effect",
  init = function() return {} end,
  step = function(last, ev)
    local prev = last[ev.key]
    if prev and prev.seq >= ev.seq then
      return violation("seq %d applied after seq %d", ev.seq, prev.seq, { prev, ev })
    end
    last[ev.key] = ev
  end,
}

for _, strategy in ipairs { "range", "cooperative-sticky" } do
  scenario ("retry-order/" .. strategy) {
    params  = { orders = 3000 },
    topics  = { orders = { partitions = 6, value = "json" }, ["orders-retry"] = { partitions = 6,
      value = "json" },
                ["orders-parked"] = { partitions = 6 }, ["orders-dlq"] = { partitions = 1,
                  value = "json" } },
    roles   = {
      producer = producer,
      main     = { run = main, count = 3, conf = { ["partition.assignment.strategy"] = strategy } },
      retrier  = { run = retrier, count = 2 },
    },
    faults  = { crash { role = { "main", "retrier" }, p = 0.01, per = "message", point = "any" } },
    expect  = {
      always     "order"         { in_order },
      sometimes  "parked behind an earlier failure",
      sometimes  "a poison message reached the DLQ" { messages { topic = "orders-dlq",
        at_least = 1 } },
      sometimes  "a retrier died holding a key"     { crashed { role = "retrier" } },
    },
    stop    = { after = "sent", drain = "60s" },
  }
end
