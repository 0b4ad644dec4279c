---@meta kaos
-- Made from lib/kaos/schema.lua and the tables in src/lua. Do not edit.

---@alias kaos.Duration string    # "250ms" "5s" "2m"; a range "5s..10s" is drawn anew each time
---@alias kaos.Probability number # 0..1
---@class kaos.Param
---@class kaos.Scenario
---@class kaos.Fault
---@class kaos.Predicate
---@class kaos.Violation
---@class kaos.Property
---@overload fun(spec: kaos.PropertyBody): kaos.Property
---@alias kaos.Expectation kaos.Property|kaos.Predicate
---@alias kaos.CrashPoint "any"|"after_poll"|"before_send"|"after_send"|"before_offsets"|"after_offsets"|"before_commit"|"during_commit"|"after_commit"|"in_on_assign"|"in_on_revoke"

---What a scenario consists of.
---@class (exact) kaos.Spec
---@field doc? string|kaos.Param # One sentence: what the scenario claims.
---@field tags? string|string[]|kaos.Param # Words to select scenarios by.
---@field params? table<string, string|number|boolean|table> # Values that `-p name=value` overrides: a default, or { default, "doc", min =, max = }.
---@field cluster? kaos.Cluster # What the scenario asks of the cluster.
---@field topics? table<string, kaos.Topic> # Topics by name; exist before the first role starts and are audited at the end.
---@field roles table<string, kaos.Role|fun(w: kaos.Ctx)> # Roles by name: a function, or a table with `run` or `exec`.
---@field faults? kaos.Fault[] # List of what may go wrong.
---@field expect kaos.Expectation[] # List of what must hold.
---@field thresholds? table<string, string|string[]|kaos.Param> # Limits for measured values: a metric ("e2e.latency", "send.latency", "recovery", "TOPIC.rate") and one limit or a list of them like "p99 < 5s", "avg > 20/s".
---@field stop? kaos.Stop # When the run ends, and its limits.
---@field fails_with? string|string[]|kaos.Param # The scenario shows a bug: findings that must occur.

---What a scenario asks of its cluster.
---@class (exact) kaos.Cluster
---@field brokers? integer|kaos.Param # Nodes of a managed cluster.
---@field kind? string|kaos.Param # Kind of cluster: "embedded", "kafka", "kafka:VERSION" or "HOST:PORT".
---@field config? table<string, string|number|boolean|kaos.Param> # Settings of the brokers.

---A topic.
---@class (exact) kaos.Topic
---@field partitions? integer|kaos.Param # Number of partitions.
---@field replicas? integer|kaos.Param # Replicas of each partition, at most the number of brokers.
---@field existing? boolean|kaos.Param # On a foreign cluster the topic must exist and is audited from its end.
---@field config? table<string, string|number|boolean|kaos.Param> # Topic settings of Kafka.
---@field value? "bytes"|"json"|kaos.Param # Codec of the values.

---A role: one process for each instance and incarnation.
---@class (exact) kaos.Role
---@field run? fun(w: kaos.Ctx) # What an instance does; gets the context `w`.
---@field count? integer|kaos.Param # Number of instances.
---@field restart? "never"|kaos.Duration|kaos.Param # Delay before a dead instance starts again, or "never".
---@field start_after? string|string[]|kaos.Param # Name given to w:done, or a duration from the start of the faults, after which the instances start; a list has one for each instance, its last one for the rest.
---@field conf? table<string, string|number|boolean|kaos.Param> # librdkafka settings for every client of the role; of a program only what the limits are computed from.
---@field env? table<string, string|number|boolean|kaos.Param> # Environment variables of the process, filled in like `exec`.
---@field exec? string[]|kaos.Param # Program and arguments instead of `run`, run in the scenario's folder. `{bootstrap}`, `{role}`, `{index}`, `{incarnation}`, `{seed}` and `{PARAM}` are filled in, here and in `env`.
---@field group? string|string[]|kaos.Param # exec: consumer groups that the program reads with; the drain waits for them.
---@field build? string|kaos.Param # exec: the command that builds the program, for the message when it is missing.

---When the run ends, and its limits.
---@class (exact) kaos.Stop
---@field after? string|kaos.Param # Name given to w:done, or a duration.
---@field drain? kaos.Duration|kaos.Param # Limit of the time after the faults in which everything must arrive.
---@field timeout? kaos.Duration|kaos.Param # Hard limit of the run.

---A fold over emitted events that runs in the checker.
---@class (exact) kaos.Invariant
---@field on string|kaos.Param # Kind of the events (w:emit) that it looks at.
---@field init? fun(): any # Returns the first state.
---@field step fun(state: any, event: table): kaos.Violation? # step(state, event); returns violation(...) or nothing.
---@field final? fun(state: any): kaos.Violation? # final(state), after the last event; returns violation(...) or nothing.

---The body of a property: predicates, and for `eventually` a limit.
---@class (exact) kaos.PropertyBody
---@field within? kaos.Duration|kaos.Param # Limit, from the end of the faults.
---@field [integer] kaos.Predicate

---Declares a scenario; nothing runs yet.
---@param name string
---@return fun(spec: kaos.Spec): kaos.Scenario
function scenario(name) end

---A value of `params`, filled in when the run starts.
---@param name string
---@return kaos.Param
function param(name) end

---An environment variable, read once by the runner.
---@param name string
---@param default? string
---@return string
function env(name, default) end

---A predicate of one's own: a fold over emitted events.
---@param name string
---@return fun(spec: kaos.Invariant): kaos.Predicate
function invariant(name) end

---What step and final of an invariant return; the last argument may be a list of events.
---@param format string
---@param ... any
---@return kaos.Violation
function violation(format, ...) end

---Must hold over the whole history; without a body: judged by w:assert of that name.
---@param name string
---@return kaos.Property
function always(name) end

---Must hold once the faults have stopped.
---@param name string
---@return kaos.Property
function eventually(name) end

---Must happen at least once; without a body: by w:reached of that name.
---@param name string
---@return kaos.Property
function sometimes(name) end

---Must not happen; without a body: by w:reached of that name.
---@param name string
---@return kaos.Property
function never(name) end

---The role aborts the open transaction instead of committing it.
---@class (exact) kaos.AbortSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field index? integer|kaos.Param # Only this instance of the role.
---@field p? kaos.Probability|kaos.Param # Probability 0..1, drawn once per record.
---@field at? kaos.Duration|kaos.Param # Instead of `p`: once, at the next occasion this long after the faults began.
---@field max? integer|kaos.Param # Bounds the number of firings.

---The role aborts the open transaction instead of committing it.
---@param spec kaos.AbortSpec
---@return kaos.Fault
function abort(spec) end

---A node of a managed cluster is killed (SIGKILL), stopped (SIGTERM), paused or restarted, or all are restarted in turn.
---@class (exact) kaos.BrokerSpec
---@field action "kill"|"stop"|"pause"|"restart"|"roll"|kaos.Param # What is done to the node; restart is a stop and a start at once, roll restarts every node, each when the one before is back in sync.
---@field node? integer|"any"|"controller"|string|kaos.Param # Number of the node from 1, "any", "controller", "leader of TOPIC/PARTITION", "group coordinator of GROUP", "transaction coordinator of ROLE" or "transaction coordinator of id TRANSACTIONAL-ID"; asked of the cluster when it fires.
---@field every? kaos.Duration|kaos.Param # Time between firings; a range is drawn anew each time.
---@field at? kaos.Duration|kaos.Param # One firing, this long after the faults began.
---@field hold? kaos.Duration|kaos.Param # How long it stays down or paused; needed by pause.
---@field max? integer|kaos.Param # Bounds the number of firings.

---A node of a managed cluster is killed (SIGKILL), stopped (SIGTERM), paused or restarted, or all are restarted in turn.
---@param spec kaos.BrokerSpec
---@return kaos.Fault
function broker(spec) end

---The role kills itself with SIGKILL at a point of its work.
---@class (exact) kaos.CrashSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field index? integer|kaos.Param # Only this instance of the role.
---@field p? kaos.Probability|kaos.Param # Probability 0..1, drawn once per record.
---@field at? kaos.Duration|kaos.Param # Instead of `p`: once, at the next occasion this long after the faults began.
---@field per? "message"|"batch"|"transaction"|kaos.Param # What one draw is made for.
---@field point? kaos.CrashPoint|kaos.CrashPoint[]|kaos.Param # Crash point or list of them; any = one of the eight that belong to a record or transaction.
---@field max? integer|kaos.Param # Bounds the number of firings.

---The role kills itself with SIGKILL at a point of its work.
---@param spec kaos.CrashSpec
---@return kaos.Fault
function crash(spec) end

---An instance leaves politely: closes its consumer, abandons its transaction, exits with 0.
---@class (exact) kaos.ExitSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field index? integer|kaos.Param # Only this instance of the role.
---@field every? kaos.Duration|kaos.Param # Time between firings; a range is drawn anew each time.
---@field at? kaos.Duration|kaos.Param # One firing, this long after the faults began.
---@field max? integer|kaos.Param # Bounds the number of firings.

---An instance leaves politely: closes its consumer, abandons its transaction, exits with 0.
---@param spec kaos.ExitSpec
---@return kaos.Fault
function exit(spec) end

---An instance is killed from outside.
---@class (exact) kaos.KillSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field index? integer|kaos.Param # Only this instance of the role.
---@field every? kaos.Duration|kaos.Param # Time between firings; a range is drawn anew each time.
---@field at? kaos.Duration|kaos.Param # One firing, this long after the faults began.
---@field signal? "KILL"|"TERM"|kaos.Param # Signal that is sent.
---@field max? integer|kaos.Param # Bounds the number of firings.

---An instance is killed from outside.
---@param spec kaos.KillSpec
---@return kaos.Fault
function kill(spec) end

---A list of faults of which a part is on in each period, now and then none: in every four periods each is on at least once, and one period has none. Faults in a mix need `every`.
---@class (exact) kaos.MixSpec
---@field stable kaos.Duration|kaos.Param # How long a period lasts; faults that are on then stay on.
---@field [integer] kaos.Fault

---A list of faults of which a part is on in each period, now and then none: in every four periods each is on at least once, and one period has none. Faults in a mix need `every`.
---@param spec kaos.MixSpec
---@return kaos.Fault
function mix(spec) end

---An instance is stopped (SIGSTOP) and goes on later: a zombie.
---@class (exact) kaos.PauseSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field index? integer|kaos.Param # Only this instance of the role.
---@field every? kaos.Duration|kaos.Param # Time between firings; a range is drawn anew each time.
---@field at? kaos.Duration|kaos.Param # One firing, this long after the faults began.
---@field hold kaos.Duration|kaos.Param # How long it stands still.
---@field replace? boolean|kaos.Param # A second process of the same index runs meanwhile.
---@field max? integer|kaos.Param # Bounds the number of firings.

---An instance is stopped (SIGSTOP) and goes on later: a zombie.
---@param spec kaos.PauseSpec
---@return kaos.Fault
function pause(spec) end

---A member leaves the group and joins again.
---@class (exact) kaos.RebalanceSpec
---@field group string|kaos.Param # Consumer group.
---@field every? kaos.Duration|kaos.Param # Time between firings; a range is drawn anew each time.
---@field at? kaos.Duration|kaos.Param # One firing, this long after the faults began.
---@field max? integer|kaos.Param # Bounds the number of firings.

---A member leaves the group and joins again.
---@param spec kaos.RebalanceSpec
---@return kaos.Fault
function rebalance(spec) end

---Each record of `from` ends in exactly one of the places in `to`, once.
---@class (exact) kaos.AccountedSpec
---@field from string|kaos.Param # Topic where records come from.
---@field to string|string[]|kaos.Param # Topics and roles of which one must have it.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.

---Each record of `from` ends in exactly one of the places in `to`, once.
---@param spec kaos.AccountedSpec
---@return kaos.Predicate
function accounted(spec) end

---Each transaction is committed or aborted as a whole, its offsets included.
---@class (exact) kaos.AtomicSpec
---@field topic? string|kaos.Param # Topic that is judged.

---Each transaction is committed or aborted as a whole, its offsets included.
---@param spec string|kaos.AtomicSpec
---@return kaos.Predicate
function atomic(spec) end

---No reader is delivered a record of an aborted or open transaction.
---@class (exact) kaos.CommittedOnlySpec
---@field topic string|kaos.Param # Topic that is judged.
---@field role? string|string[]|kaos.Param # Only deliveries to these roles.

---No reader is delivered a record of an aborted or open transaction.
---@param spec string|kaos.CommittedOnlySpec
---@return kaos.Predicate
function committed_only(spec) end

---A role died at one of the points.
---@class (exact) kaos.CrashedSpec
---@field role string|string[]|kaos.Param # Role or list of roles that are hit.
---@field point? kaos.CrashPoint|kaos.CrashPoint[]|kaos.Param # Crash point or list of them.
---@field at_least? integer|kaos.Param # How often.

---A role died at one of the points.
---@param spec string|kaos.CrashedSpec
---@return kaos.Predicate
function crashed(spec) end

---Each record of `from` has exactly the declared number of outputs in `to`.
---@class (exact) kaos.ExactlyOnceSpec
---@field from string|kaos.Param # Topic or role where records come from.
---@field to string|kaos.Param # Topic or role where they must arrive.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.
---@field times? integer|kaos.Param # Outputs per input.

---Each record of `from` has exactly the declared number of outputs in `to`.
---@param spec kaos.ExactlyOnceSpec
---@return kaos.Predicate
function exactly_once(spec) end

---A transaction stayed open in a topic, and held back readers, for longer than this.
---@class (exact) kaos.HeldBackSpec
---@field topic? string|kaos.Param # Topic that is judged.
---@field over kaos.Duration|kaos.Param # Time from its first record in a partition to its marker; what took longer counts.
---@field at_least? integer|kaos.Param # How often.

---A transaction stayed open in a topic, and held back readers, for longer than this.
---@param spec string|kaos.HeldBackSpec
---@return kaos.Predicate
function held_back(spec) end

---An effect of a record of `from` came later than so long after the record.
---@class (exact) kaos.LateSpec
---@field from string|kaos.Param # Topic or role where records come from.
---@field to string|kaos.Param # Topic or role where they must arrive.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.
---@field over kaos.Duration|kaos.Param # Time from the record to its effect; what took longer counts.
---@field at_least? integer|kaos.Param # How often.

---An effect of a record of `from` came later than so long after the record.
---@param spec kaos.LateSpec
---@return kaos.Predicate
function late(spec) end

---The groups work off all they can within the drain.
---@class (exact) kaos.LivenessSpec
---@field group? string|kaos.Param # Consumer group.

---The groups work off all they can within the drain.
---@param spec string|kaos.LivenessSpec
---@return kaos.Predicate
function liveness(spec) end

---The log closes each transaction with the right control record.
---@class (exact) kaos.MarkersSpec
---@field topic? string|kaos.Param # Topic that is judged.

---The log closes each transaction with the right control record.
---@param spec string|kaos.MarkersSpec
---@return kaos.Predicate
function markers(spec) end

---The topic holds committed records.
---@class (exact) kaos.MessagesSpec
---@field topic string|kaos.Param # Topic that is judged.
---@field at_least? integer|kaos.Param # How many.
---@field aborted? boolean|kaos.Param # Counts the records of aborted transactions instead.

---The topic holds committed records.
---@param spec string|kaos.MessagesSpec
---@return kaos.Predicate
function messages(spec) end

---No record of `from` arrives in `to` more than once.
---@class (exact) kaos.NoDuplicatesSpec
---@field from string|kaos.Param # Topic or role where records come from.
---@field to string|kaos.Param # Topic or role where they must arrive.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.

---No record of `from` arrives in `to` more than once.
---@param spec kaos.NoDuplicatesSpec
---@return kaos.Predicate
function no_duplicates(spec) end

---Each record of `from` arrives in `to`.
---@class (exact) kaos.NoLossSpec
---@field from string|kaos.Param # Topic or role where records come from.
---@field to string|kaos.Param # Topic or role where they must arrive.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.

---Each record of `from` arrives in `to`.
---@param spec kaos.NoLossSpec
---@return kaos.Predicate
function no_loss(spec) end

---Committed records keep the order in which they were sent.
---@class (exact) kaos.OrderSpec
---@field topic string|kaos.Param # Topic that is judged.
---@field per? "key"|"partition"|kaos.Param # Within what the order holds.

---Committed records keep the order in which they were sent.
---@param spec string|kaos.OrderSpec
---@return kaos.Predicate
function order(spec) end

---A record of `from` has more than one effect in `to`.
---@class (exact) kaos.RepeatedSpec
---@field from string|kaos.Param # Topic or role where records come from.
---@field to string|kaos.Param # Topic or role where they must arrive.
---@field id? string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.
---@field at_least? integer|kaos.Param # How often.

---A record of `from` has more than one effect in `to`.
---@param spec kaos.RepeatedSpec
---@return kaos.Predicate
function repeated(spec) end

---A role was delivered a record of an aborted transaction.
---@class (exact) kaos.SawAbortedSpec
---@field topic string|kaos.Param # Topic that is judged.
---@field role? string|string[]|kaos.Param # Only deliveries to these roles.
---@field at_least? integer|kaos.Param # How often.

---A role was delivered a record of an aborted transaction.
---@param spec string|kaos.SawAbortedSpec
---@return kaos.Predicate
function saw_aborted(spec) end

---The group comes to rest: one generation, every partition owned.
---@class (exact) kaos.StableGroupSpec
---@field group string|kaos.Param # Consumer group.

---The group comes to rest: one generation, every partition owned.
---@param spec string|kaos.StableGroupSpec
---@return kaos.Predicate
function stable_group(spec) end

---No partition of the group stays without an owner for longer, once it had one.
---@class (exact) kaos.TakeoverSpec
---@field group string|kaos.Param # Consumer group.
---@field within kaos.Duration|kaos.Param # Limit, from the death of its owner, or from when it gave the partition up.

---No partition of the group stays without an owner for longer, once it had one.
---@param spec kaos.TakeoverSpec
---@return kaos.Predicate
function takeover(spec) end

---Records with one id are all there or none is: each of the topics holds as many.
---@class (exact) kaos.TogetherSpec
---@field topics string|string[]|kaos.Param # Topics that are written together.
---@field id string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.
---@field times? integer|kaos.Param # Committed records of each id in each topic.

---Records with one id are all there or none is: each of the topics holds as many.
---@param spec kaos.TogetherSpec
---@return kaos.Predicate
function together(spec) end

---No two committed records of the topic have the same id.
---@class (exact) kaos.UniqueSpec
---@field topic string|kaos.Param # Topic that is judged.
---@field id string|fun(m: kaos.Message): any|kaos.Param # What identifies a record: "value", "key", "header:NAME" or a function of the message.

---No two committed records of the topic have the same id.
---@param spec kaos.UniqueSpec
---@return kaos.Predicate
function unique(spec) end

---@class kaos.Ctx
---@field params table # The values of the scenario's params, read-only.
---@field role string # The name of this role.
---@field index integer # Which instance of the role this is, from 1.
---@field incarnation integer # 1 on the first start, one more after each death.
local Ctx = {}

---Creates a producer; a transactional one first fences older ones of its id.
---@param options? kaos.CtxProducerOptions
---@return kaos.Producer
function Ctx:producer(options) end

---Creates a consumer; it joins its group in the background.
---@param options? kaos.CtxConsumerOptions
---@return kaos.Consumer
function Ctx:consumer(options) end

---Sends one record and waits for its outcome.
---@param topic any
---@param record any
---@param key any
---@return integer?
---@return kaos.Error?
function Ctx:send(topic, record, key) end

---Iterates over the records of a topic with a default consumer; offsets are committed after the loop body.
---@param topic any
---@return fun(): any
function Ctx:messages(topic) end

---Runs a function as a further task of this process.
---@param fn any
---@param ... any
---@return kaos.Task
function Ctx:spawn(fn, ...) end

---Waits in this task.
---@param duration any
function Ctx:sleep(duration) end

---Waits until the planned time of the next step at a rate, however late the last one was.
---@param rate any
function Ctx:pace(rate) end

---Decides by the run's seed, the label and the keys: the same answer in every process.
---@param p any
---@param label any
---@param ... any
---@return boolean
function Ctx:chance(p, label, ...) end

---Draws a number by the run's seed, the label and the keys.
---@param low any
---@param high any
---@param label any
---@param ... any
---@return integer
function Ctx:int(low, high, label, ...) end

---Writes a fact for invariants into the history.
---@param kind any
---@param fields any
function Ctx:emit(kind, fields) end

---Says that a declared `sometimes` has happened.
---@param name any
function Ctx:reached(name) end

---Judges a declared `always` at this place.
---@param condition any
---@param name any
---@param details any
---@return any
function Ctx:assert(condition, name, details) end

---Writes a line into the history and the role's log.
---@param format any
---@param ... any
function Ctx:log(format, ...) end

---Says that a named piece of work is done; `stop.after` waits for it.
---@param name any
function Ctx:done(name) end

---Gives a table of this process, lost with it.
---@param name any
---@return table
function Ctx:table(name) end

---@class kaos.Producer
local Producer = {}

---Enqueues a record; waits only for room. A record is { key, value, headers, partition, timestamp, from }.
---@param topic any
---@param record any
---@param key any
---@return true?
---@return kaos.Error?
function Producer:send(topic, record, key) end

---Waits for the outcomes of everything sent; the error is the first failure.
---@return true?
---@return kaos.Error?
function Producer:flush() end

---Begins a transaction over what the consumer hands out; use `local tx <close> =`.
---@param consumer? any
---@return kaos.Tx
function Producer:begin(consumer) end

---Waits for outcomes, bounded, and closes the producer.
function Producer:close() end

---@class kaos.CtxProducerOptions
---@field transactional? true|"id" # Makes it transactional; true names it SCENARIO-ROLE-INDEX.
---@field idempotent? boolean # Switches idempotence, on by default.
---@field conf? any # Properties of librdkafka, untouched.
---@field rewind? boolean # false: a wrong application that goes on reading after an abort instead of rewinding.
---@field metadata? "batch"|"now" # "now": a wrong application that takes the group's membership at commit time.

---@class kaos.Record
---@field key string|number # The key; nil is null, "" is empty.
---@field value string|number|table # The value, by the codec of the topic.
---@field headers any # Headers, in order when given as a list; a missing value is null.
---@field partition integer # The partition; by default the key decides.
---@field timestamp integer # Milliseconds since 1970; by default now.
---@field from any # The input that this record was made from: its lineage.
local Record = {}

---@class kaos.Tx
local Tx = {}

---Enqueues a record of the transaction; waits only for room.
---@param topic any
---@param record any
---@param key any
---@return true?
---@return kaos.Error?
function Tx:send(topic, record, key) end

---Writes a fact that counts only if the transaction commits.
---@param kind any
---@param fields any
function Tx:emit(kind, fields) end

---Commits the consumed offsets and the records; nil when the transaction was aborted.
---@param options? kaos.TxCommitOptions
---@return true?
---@return kaos.Error?
function Tx:commit(options) end

---Aborts the transaction and rewinds the consumer.
---@param options? kaos.TxAbortOptions
---@return true?
---@return kaos.Error?
function Tx:abort(options) end

---@class kaos.TxCommitOptions
---@field offsets? any # Commits these offsets instead of those behind the records handed out; {} commits none.
---@field metadata? "batch"|"now" # "now": a wrong application that takes the group's membership at commit time.

---@class kaos.TxAbortOptions
---@field rewind? boolean # false: a wrong application that goes on reading instead of rewinding.

---@class kaos.Consumer
local Consumer = {}

---Iterates over records one by one; ends when the run has drained.
---@return fun(): any
function Consumer:messages() end

---Iterates over lists of records; ends when the run has drained.
---@param options? kaos.ConsumerBatchesOptions
---@return fun(): any
function Consumer:batches(options) end

---Commits the offsets behind what was handed out, or the given ones.
---@param value any
---@param partition any
---@param offset any
---@param ...? any
---@return true?
---@return kaos.Error?
function Consumer:commit(value, partition, offset, ...) end

---Sets the position of a partition.
---@param topic any
---@param partition any
---@param offset any
---@return true?
---@return kaos.Error?
function Consumer:seek(topic, partition, offset) end

---Stops the delivery of a partition.
---@param topic any
---@param partition any
---@return true?
---@return kaos.Error?
function Consumer:pause(topic, partition) end

---Continues the delivery of a partition.
---@param topic any
---@param partition any
---@return true?
---@return kaos.Error?
function Consumer:resume(topic, partition) end

---Gives the offset of the next record that will be handed out, once one was.
---@param topic any
---@param partition any
---@return any?
function Consumer:position(topic, partition) end

---Finds the first record with this timestamp or a later one; nil if there is none.
---@param topic any
---@param partition any
---@param milliseconds any
---@return integer?
---@return kaos.Error?
function Consumer:offset_at(topic, partition, milliseconds) end

---Reads the committed offset of the group; nil if there is none.
---@param topic any
---@param partition any
---@return integer?
---@return kaos.Error?
function Consumer:committed(topic, partition) end

---Leaves the group and closes the consumer.
function Consumer:close() end

---@class kaos.CtxConsumerOptions
---@field topics? any # What is read.
---@field group? any # The group; false: all partitions without a group. By default SCENARIO-ROLE if the role has several instances, else none.
---@field isolation? "read_committed"|"read_uncommitted" # Whether records of open and aborted transactions are seen; read_committed by default.
---@field conf? any # Properties of librdkafka, untouched.
---@field on_assign? any # Called when partitions come, before records of them are delivered. May return where to start: a list of { topic, partition, position }, with positions as in consumer:seek.
---@field on_revoke? any # Called before partitions are given up.
---@field on_lost? any # Called when partitions were lost: others may own them already.
---@field on_eof? any # Called when the broker has no more; what lies in front of that offset may still be on its way to the loop.
---@field on_error? any # Called with errors of the consumer that no call returns.
---@field rebalance? "none" # A wrong application that has no rebalance callback: librdkafka assigns by itself.

---@class kaos.ConsumerBatchesOptions
---@field max? integer # Records at most, 100 by default.
---@field wait? any # How long a batch is filled after its first record, "0s" by default.

---@class kaos.Message
---@field topic string # The topic that the record was read from.
---@field partition integer # The partition that the record was read from.
---@field offset integer # The record's offset.
---@field timestamp integer # Kafka's timestamp in milliseconds since 1970.
---@field key string|nil # The key as bytes; nil is null.
---@field value any # The value by the codec of its topic: a string (bytes) or what the JSON text says.
---@field headers any # The headers in order, without those of kaos; a missing value is null.
local Message = {}

---Gives the last value of a header.
---@param name any
---@return string?
function Message:header(name) end

---@class kaos.Task
local Task = {}

---Waits for the end of the task and returns what its function returned.
---@return true?
---@return kaos.Error?
function Task:join() end

---Ends the task where it waits; its `<close>` variables run.
function Task:cancel() end

---@class kaos.Error
---@field code string|integer # The name of Kafka's or librdkafka's code.
---@field kind string # What failed: broker, timeout, usage, ..., or fault.
---@field message string # What was tried on what, and why it failed.
---@field retriable boolean # The same call may work later.
---@field fatal boolean # The client is dead.
---@field abortable boolean # The transaction has to be aborted.
local Error = {}
