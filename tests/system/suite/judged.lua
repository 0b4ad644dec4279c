-- Scenarios that a cluster judges, one for each way to end. On a cluster that is there topics must
-- be new: SUITE makes their names.
local SUITE <const> = env("SUITE", "suite")

local function named(name)
  return ("%s-%s"):format(SUITE, name)
end

local function writer(topic, n)
  ---@param w kaos.Ctx
  return function(w)
    for i = 1, n do w:send(topic, { value = i }) end
  end
end

-- Copies what `keep` says.
local function copier(from, to, keep)
  ---@param w kaos.Ctx
  return function(w)
    for m in w:messages(from) do
      if keep(m) then w:send(to, { from = m, value = m.value }) end
    end
  end
end

local function all() return true end
local function even(m) return m.value % 2 == 0 end

for _, n in ipairs { 5, 20 } do
  local topic = named("pass-" .. n)
  scenario("pass/" .. n) {
    tags = { "quick" },
    topics = { [topic] = {} },
    roles = { writer = writer(topic, n) },
    expect = { messages { topic = topic, at_least = n } },
  }
end

local function copying(name, keep, fails_with)
  local from, to = named(name .. "-in"), named(name .. "-out")
  scenario("copy/" .. name) {
    tags = { "copy" },
    topics = { [from] = {}, [to] = {} },
    roles = { writer = writer(from, 10), copier = copier(from, to, keep) },
    expect = { eventually "every id arrives" { no_loss { from = from, to = to, id = "value" } } },
    fails_with = fails_with,
  }
end
copying("right", all)
copying("drops", even)
copying("drops-declared", even, "lost")
copying("declared-and-right", all, "lost")

local assertion = named "assertion"
scenario "assertion" {
  topics = { [assertion] = {} },
  roles = {
    writer = function(w)
      w:send(assertion, { value = 1 })
      w:assert(false, "numbers are even", { n = "]]> <&\" % \n::error::x | # \1" })
    end,
  },
  expect = { messages { topic = assertion }, always "numbers are even" },
}

local never = named "never"
scenario "doubt/never" {
  topics = { [never] = {} },
  roles = { writer = writer(never, 1) },
  expect = { messages { topic = never }, sometimes "pigs fly" },
}

local unfired = named "unfired"
scenario "doubt/unfired" {
  topics = { [unfired] = {} },
  roles = { writer = writer(unfired, 5) },
  faults = { kill { role = "writer", at = "100s" } },
  expect = { messages { topic = unfired } },
}

local breaks = named "breaks"
scenario "error/role" {
  topics = { [breaks] = {} },
  roles = {
    writer = function(w)
      w:send(breaks, { value = 1 })
      local none = w.params.nothing
      w:log("%s", none.key)
    end,
  },
  expect = { messages { topic = breaks } },
}

-- A cluster that kaos did not start has no broker that kaos can kill.
local broker_death = named "broker"
scenario "setup/capability" {
  topics = { [broker_death] = {} },
  roles = { writer = writer(broker_death, 5) },
  faults = { broker { action = "kill", at = "1s" } },
  expect = { messages { topic = broker_death } },
}
