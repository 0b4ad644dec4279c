-- SPDX-License-Identifier: Apache-2.0
-- The language of scenarios as one documented table. Validation, suggestions, `kaos help`,
-- docs/api.md, the editor stub and luacheck's list of names are made from it.
--
-- A field: name, type, doc; required, default (as text, for readers), min, max, choices.
-- Types are checks of values.lua, or words that dsl.lua knows (roles, point, settings, ...).
local M = {}

local POINTS = {
  "after_poll", "before_send", "after_send", "before_offsets", "after_offsets", "before_commit",
  "during_commit", "after_commit", "in_on_assign", "in_on_revoke",
}
M.points = POINTS

-- Fields that several constructors share.
local EVERY = { name = "every", type = "range",
  doc = "Time between firings; a range is drawn anew each time." }
local AT = { name = "at", type = "range", doc = "One firing, this long after the faults began." }
local MAX = { name = "max", type = "integer", min = 1, doc = "Bounds the number of firings.",
  default = "no bound" }
local ROLES = { name = "role", type = "roles", required = true,
  doc = "Role or list of roles that are hit." }
local INDEX = { name = "index", type = "integer", min = 1, max = 10000, default = "any",
  doc = "Only this instance of the role." }
local P = { name = "p", type = "probability",
  doc = "Probability 0..1, drawn once per record." }
local ORDERED = { name = "at", type = "range",
  doc = "Instead of `p`: once, at the next occasion this long after the faults began." }
local POINT = { name = "point", type = "points", default = "\"any\"",
  doc = "Crash point or list of them; any = one of the eight that belong to a record or "
    .. "transaction." }
local FROM = { name = "from", type = "place", required = true,
  doc = "Topic or role where records come from." }
local TO = { name = "to", type = "place", required = true,
  doc = "Topic or role where they must arrive." }
local ID = { name = "id", type = "id", default = "lineage",
  doc = "What identifies a record: \"value\", \"key\", \"header:NAME\" or a function of the "
    .. "message." }

local AT_LEAST = { name = "at_least", type = "integer", min = 1, default = "1",
  doc = "How often." }
local READERS = { name = "role", type = "roles", default = "all roles",
  doc = "Only deliveries to these roles." }

local function over(doc)
  return { name = "over", type = "duration", required = true, min = 1, doc = doc }
end

local function required(field)
  local f = {}
  for k, v in pairs(field) do f[k] = v end
  f.required, f.default = true, nil
  return f
end

local function topic(needed)
  return { name = "topic", type = "topic", required = needed,
    doc = "Topic that is judged.", default = not needed and "all topics" or nil }
end

M.records = {
  spec = {
    doc = "What a scenario consists of.",
    { name = "doc", type = "string", doc = "One sentence: what the scenario claims." },
    { name = "tags", type = "names", doc = "Words to select scenarios by." },
    { name = "params", type = "params",
      doc = "Values that `-p name=value` overrides: a default, or { default, \"doc\", min =, max "
      .. "= }." },
    { name = "cluster", type = "cluster", doc = "What the scenario asks of the cluster." },
    { name = "topics", type = "topics",
      doc = "Topics by name; exist before the first role starts and are audited at the end." },
    { name = "roles", type = "roles_table", required = true,
      doc = "Roles by name: a function, or a table with `run` or `exec`." },
    { name = "faults", type = "faults", doc = "List of what may go wrong." },
    { name = "expect", type = "expect", required = true, doc = "List of what must hold." },
    { name = "thresholds", type = "thresholds",
      doc = "Limits for measured values: a metric (\"e2e.latency\", \"send.latency\", "
        .. "\"recovery\", \"TOPIC.rate\") and one "
        .. "limit or a list of them like \"p99 < 5s\", \"avg > 20/s\"." },
    { name = "stop", type = "stop", doc = "When the run ends, and its limits." },
    { name = "fails_with", type = "kinds",
      doc = "The scenario shows a bug: findings that must occur." },
  },
  cluster = {
    doc = "What a scenario asks of its cluster.",
    { name = "brokers", type = "integer", min = 1, max = 5, default = "1",
      doc = "Nodes of a managed cluster." },
    { name = "kind", type = "name",
      doc = "Kind of cluster: \"embedded\", \"kafka\", \"kafka:VERSION\" or \"HOST:PORT\"." },
    { name = "config", type = "settings", doc = "Settings of the brokers." },
  },
  topic = {
    doc = "A topic.",
    { name = "partitions", type = "integer", min = 1, max = 10000, default = "1",
      doc = "Number of partitions." },
    { name = "replicas", type = "integer", min = 1, max = 100, default = "min(3, brokers)",
      doc = "Replicas of each partition, at most the number of brokers." },
    { name = "existing", type = "boolean", default = "false",
      doc = "On a foreign cluster the topic must exist and is audited from its end." },
    { name = "config", type = "settings", doc = "Topic settings of Kafka." },
    { name = "value", type = "choice", choices = { "bytes", "json" }, default = "\"bytes\"",
      doc = "Codec of the values." },
  },
  role = {
    doc = "A role: one process for each instance and incarnation.",
    { name = "run", type = "function", doc = "What an instance does; gets the context `w`." },
    { name = "count", type = "integer", min = 1, max = 10000, default = "1",
      doc = "Number of instances." },
    { name = "restart", type = "restart", default = "\"1s\"",
      doc = "Delay before a dead instance starts again, or \"never\"." },
    { name = "start_after", type = "start_after", default = "with the run",
      doc = "Name given to w:done, or a duration from the start of the faults, after which the "
      .. "instances start; a list has one for each instance, its last one for the rest." },
    { name = "conf", type = "settings",
      doc = "librdkafka settings for every client of the role; of a program only what the limits "
        .. "are computed from." },
    { name = "env", type = "settings",
      doc = "Environment variables of the process, filled in like `exec`." },
    { name = "exec", type = "command",
      doc = "Program and arguments instead of `run`, run in the scenario's folder. `{bootstrap}`, "
        .. "`{role}`, `{index}`, `{incarnation}`, `{seed}` and `{PARAM}` are filled in, here and "
        .. "in `env`." },
    { name = "group", type = "names", default = "none: it is ended when the drain begins",
      doc = "exec: consumer groups that the program reads with; the drain waits for them." },
    { name = "build", type = "string",
      doc = "exec: the command that builds the program, for the message when it is missing." },
  },
  stop = {
    doc = "When the run ends, and its limits.",
    { name = "after", type = "after", doc = "Name given to w:done, or a duration.",
      default = "when every role without an endless iterator has returned" },
    { name = "drain", type = "duration", min = 1, default = "from the time-outs of the roles",
      doc = "Limit of the time after the faults in which everything must arrive." },
    { name = "timeout", type = "duration", min = 1, default = "\"10m\"",
      doc = "Hard limit of the run." },
  },
  property = {
    doc = "The body of a property: predicates, and for `eventually` a limit.",
    { name = "within", type = "duration", doc = "Limit, from the end of the faults.",
      default = "stop.drain" },
  },
  invariant = {
    doc = "A fold over emitted events that runs in the checker.",
    { name = "on", type = "name", required = true,
      doc = "Kind of the events (w:emit) that it looks at." },
    { name = "init", type = "function", doc = "Returns the first state.",
      default = "an empty table" },
    { name = "step", type = "function", required = true,
      doc = "step(state, event); returns violation(...) or nothing." },
    { name = "final", type = "function",
      doc = "final(state), after the last event; returns violation(...) or nothing." },
  },
  param = {
    doc = "A parameter with its limits; [1] is the default, [2] what it means.",
    { name = "doc", type = "string", doc = "What it means." },
    { name = "min", type = "number", doc = "Smallest value." },
    { name = "max", type = "number", doc = "Largest value." },
  },
}

M.faults = {
  crash = {
    doc = "The role kills itself with SIGKILL at a point of its work.",
    ROLES, INDEX, P, ORDERED,
    { name = "per", type = "choice", choices = { "message", "batch", "transaction" },
      default = "\"message\"", doc = "What one draw is made for." },
    POINT, MAX,
  },
  exit = { doc = "An instance leaves politely: closes its consumer, abandons its transaction, "
    .. "exits with 0.", ROLES, INDEX, EVERY, AT, MAX },
  kill = {
    doc = "An instance is killed from outside.",
    ROLES, INDEX, EVERY, AT,
    { name = "signal", type = "choice", choices = { "KILL", "TERM" }, default = "\"KILL\"",
      doc = "Signal that is sent." },
    MAX,
  },
  pause = {
    doc = "An instance is stopped (SIGSTOP) and goes on later: a zombie.",
    ROLES, INDEX, EVERY, AT,
    { name = "hold", type = "range", required = true, doc = "How long it stands still." },
    { name = "replace", type = "boolean", default = "false",
      doc = "A second process of the same index runs meanwhile." },
    MAX,
  },
  abort = { doc = "The role aborts the open transaction instead of committing it.", ROLES, INDEX, P,
    ORDERED, MAX },
  rebalance = {
    doc = "A member leaves the group and joins again.",
    { name = "group", type = "name", required = true, doc = "Consumer group." },
    EVERY, AT, MAX,
  },
  broker = {
    doc = "A node of a managed cluster is killed (SIGKILL), stopped (SIGTERM), paused or "
      .. "restarted, or all are restarted in turn.",
    { name = "action", type = "choice", choices = { "kill", "stop", "pause", "restart", "roll" },
      required = true,
      doc = "What is done to the node; restart is a stop and a start at once, roll restarts every "
        .. "node, each when the one before is back in sync." },
    { name = "node", type = "node", default = "\"any\"",
      doc = "Number of the node from 1, \"any\", \"controller\", \"leader of TOPIC/PARTITION\", "
        .. "\"group coordinator of GROUP\", \"transaction coordinator of ROLE\" or "
        .. "\"transaction coordinator of id TRANSACTIONAL-ID\"; asked of the cluster when it "
        .. "fires." },
    EVERY, AT,
    { name = "hold", type = "range", doc = "How long it stays down or paused; needed by pause." },
    MAX,
  },
}
M.faults.mix = {
  doc = "A list of faults of which a part is on in each period, now and then none: in every four "
    .. "periods each is on at least once, and one period has none. Faults in a mix need `every`.",
  { name = "stable", type = "duration", required = true, min = 1,
    doc = "How long a period lasts; faults that are on then stay on." },
}
-- These fire at times: they need one of `every` and `at`.
M.timed = { exit = true, kill = true, pause = true, rebalance = true, broker = true }
-- These are drawn, or come at one time: they need one of `p` and `at`.
M.drawn = { crash = true, abort = true }

-- subject: the field that `name "x"` means; counted: may stand in sometimes and never; event: only
-- there, as it says that something happened.
M.predicates = {
  exactly_once = {
    doc = "Each record of `from` has exactly the declared number of outputs in `to`.",
    FROM, TO, ID,
    { name = "times", type = "integer", min = 1, default = "1", doc = "Outputs per input." },
  },
  no_loss = { doc = "Each record of `from` arrives in `to`.", FROM, TO, ID },
  no_duplicates = { doc = "No record of `from` arrives in `to` more than once.", FROM, TO, ID },
  committed_only = { doc = "No reader is delivered a record of an aborted or open transaction.",
    subject = "topic", topic(true), READERS },
  saw_aborted = { doc = "A role was delivered a record of an aborted transaction.",
    subject = "topic", counted = true, event = true, topic(true), READERS, AT_LEAST },
  late = { doc = "An effect of a record of `from` came later than so long after the record.",
    counted = true, event = true, FROM, TO, ID,
    over("Time from the record to its effect; what took longer counts."), AT_LEAST },
  repeated = { doc = "A record of `from` has more than one effect in `to`.",
    counted = true, event = true, FROM, TO, ID, AT_LEAST },
  held_back = {
    doc = "A transaction stayed open in a topic, and held back readers, for longer than this.",
    subject = "topic", counted = true, event = true, topic(false),
    over("Time from its first record in a partition to its marker; what took longer counts."),
    AT_LEAST },
  unique = { doc = "No two committed records of the topic have the same id.",
    topic(true), required(ID) },
  together = {
    doc = "Records with one id are all there or none is: each of the topics holds as many.",
    { name = "topics", type = "topic_list", required = true, doc = "Topics that are written "
      .. "together." },
    required(ID),
    { name = "times", type = "integer", min = 1, default = "1",
      doc = "Committed records of each id in each topic." } },
  atomic = { doc = "Each transaction is committed or aborted as a whole, its offsets included.",
    subject = "topic", topic(false) },
  markers = { doc = "The log closes each transaction with the right control record.",
    subject = "topic", topic(false) },
  order = {
    doc = "Committed records keep the order in which they were sent.", subject = "topic",
      topic(true),
    { name = "per", type = "choice", choices = { "key", "partition" }, default = "\"partition\"",
      doc = "Within what the order holds." },
  },
  stable_group = {
    doc = "The group comes to rest: one generation, every partition owned.", subject = "group",
    { name = "group", type = "name", required = true, doc = "Consumer group." },
  },
  takeover = {
    doc = "No partition of the group stays without an owner for longer, once it had one.",
    { name = "group", type = "name", required = true, doc = "Consumer group." },
    { name = "within", type = "duration", required = true, min = 1,
      doc = "Limit, from the death of its owner, or from when it gave the partition up." },
  },
  accounted = {
    doc = "Each record of `from` ends in exactly one of the places in `to`, once.",
    { name = "from", type = "topic", required = true, doc = "Topic where records come from." },
    { name = "to", type = "places", required = true,
      doc = "Topics and roles of which one must have it." },
    ID,
  },
  liveness = {
    doc = "The groups work off all they can within the drain.", subject = "group",
    { name = "group", type = "name", doc = "Consumer group.", default = "all groups" },
  },
  crashed = {
    doc = "A role died at one of the points.", subject = "role", counted = true, ROLES,
    { name = "point", type = "points", doc = "Crash point or list of them.",
      default = "every crash point" },
    { name = "at_least", type = "integer", min = 1, default = "1", doc = "How often." },
  },
  messages = {
    doc = "The topic holds committed records.", subject = "topic", counted = true, topic(true),
    { name = "at_least", type = "integer", min = 1, default = "1", doc = "How many." },
    { name = "aborted", type = "boolean", default = "false",
      doc = "Counts the records of aborted transactions instead." },
  },
}

M.functions = {
  { name = "scenario", signature = "\"name\" { ... }", record = "spec",
    doc = "Declares a scenario; nothing runs yet." },
  { name = "param", signature = "\"name\"",
    doc = "A value of `params`, filled in when the run starts." },
  { name = "env", signature = "(name, default?) -> string",
    doc = "An environment variable, read once by the runner; every process gets the same value." },
  { name = "always", signature = "\"name\" { predicate, ... }", record = "property",
    doc = "Must hold over the whole history; without a body: judged by w:assert of that name." },
  { name = "eventually", signature = "\"name\" { predicate, ..., within? }", record = "property",
    doc = "Must hold once the faults have stopped." },
  { name = "sometimes", signature = "\"name\" { predicate, ... }", record = "property",
    doc = "Must happen at least once; without a body: by w:reached of that name." },
  { name = "never", signature = "\"name\" { predicate, ... }", record = "property",
    doc = "Must not happen; without a body: by w:reached of that name." },
  { name = "invariant", signature = "\"name\" { on, init, step, final? }", record = "invariant",
    doc = "A predicate of one's own: a fold over emitted events." },
  { name = "violation", signature = "(format, ..., { events }?) -> violation",
    doc = "What step and final of an invariant return: a message, and the events that prove it." },
  { name = "require", signature = "\"module\" -> value",
    doc = "A Lua file of the scenario's folder, or a library module of kaos." },
}

-- Library modules that scenarios may require.
M.modules = {}

-- Settings that kaos makes itself, and what to write instead.
M.reserved_conf = {
  ["bootstrap.servers"] = "the cluster gives the address",
  ["metadata.broker.list"] = "the cluster gives the address",
  ["group.id"] = "write w:consumer { group = ... }",
  ["transactional.id"] = "write w:producer { transactional = ... }",
  ["group.instance.id"] = "it has to differ between instances, write it in the conf of w:consumer",
}

-- Names that params may not take: `env` and `exec` fill them in.
-- In this order in messages.
M.builtins = { "bootstrap", "role", "index", "incarnation", "seed" }
M.builtin_params = { bootstrap = true, role = true, index = true, incarnation = true, seed = true }

-- Kinds of findings, for `fails_with`: the table of src/check/kinds.c.
M.kinds = {}
for kind in ([[
  threshold
  corrupt_batch overlapping_batches offset_reused unexplained_gap phantom_ack marker_missing
  stale_marker crossed_request duplicate_batch sequence_gap torn_transaction false_fail false_ok
  offsets_without_output output_without_offsets aborted_read dirty_read library_delivery
  inconsistent_offset wrong_content lost duplicate invented garbage reordered invariant assertion
  reached not_reached unaccounted double_accounted unowned unprocessed hanging_transaction stall
  not_drained late torn_write held_back stale_epoch
]]):gmatch "%S+" do
  M.kinds[kind] = true
end

--- Fields of a record by name.
function M.fields(record)
  local set = {}
  for _, f in ipairs(record) do set[f.name] = f end
  return set
end

return M
