-- Claim: idempotence makes the retries of one producer harmless, and nothing else. Two producers
-- that send the same key and value write two records, and both stay.
-- The node is stopped for a moment while records are on their way: requests time out and are sent
-- again, though the first ones were written.
-- The twins: the belief that idempotence removes equal messages, and the same retries without
-- idempotence.

local SOCKET_TIMEOUT <const> = 1000

---@param idempotent boolean
local function sender(idempotent)
  ---@param s kaos.Ctx
  return function(s)
    local producer = s:producer {
      idempotent = idempotent, conf = { ["linger.ms"] = 0, ["retry.backoff.ms"] = 100 },
    }
    for n = 1, s.params.ids do
      producer:send("events", { key = n % 16, value = ("event %d"):format(n) })
      -- a record that takes longer than a request may take was sent again
      local alarm = s:spawn(function()
        s:sleep(("%dms"):format(SOCKET_TIMEOUT + 200))
        s:reached "a request timed out and was sent again"
      end)
      producer:flush()
      alarm:cancel()
      s:pace(s.params.rate)
    end
  end
end

-- Each send of a sender, whatever it carries, is one record.
local function each_send_once()
  return always "each send is in the log once" { exactly_once { from = "sender", to = "events" } }
end

local retried = sometimes "a request timed out and was sent again"

local variants = {
  [""] = {
    doc    = "retries are written once, equal records of two producers are two records",
    idempotent = true,
    expect = {
      each_send_once(), retried,
      always "two senders, two records" {
        together { topics = "events", id = "value", times = 2 },
      },
    },
  },
  ["/removes-equal-messages"] = {
    doc    = "the belief that idempotence removes equal messages", fails_with = "duplicate",
    idempotent = true,
    expect = { retried, always "no message twice" { unique { topic = "events", id = "value" } } },
  },
  ["/off"] = {
    doc    = "the same retries without idempotence", fails_with = "duplicate",
    idempotent = false,
    expect = { retried, each_send_once() },
  },
}

for name, v in pairs(variants) do
  scenario("idempotence-scope" .. name) {
    doc        = v.doc,
    tags       = { "idempotence", v.fails_with and "twin" or "claim" },
    fails_with = v.fails_with,
    params     = { ids = 100, rate = "40/s" },
    topics     = { events = { partitions = 3 } },
    roles      = {
      sender = { run = sender(v.idempotent), count = 2, restart = "never",
                 conf = { ["socket.timeout.ms"] = SOCKET_TIMEOUT,
                          ["request.timeout.ms"] = SOCKET_TIMEOUT } },
    },
    faults     = { broker { action = "pause", at = "1s", hold = "2500ms" } },
    expect     = v.expect,
    stop       = { drain = "25s", timeout = "1m" },
  }
end
