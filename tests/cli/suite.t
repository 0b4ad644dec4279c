What a suite selects and refuses. Nothing here needs a cluster: a version of Kafka that is not there
is quick to fail, the run is SETUP, exit code 4, and its report still names it.

  $ unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY
  $ mkdir scenarios
  $ cat >scenarios/a.lua <<'L'
  > local topics, roles = { t = {} }, { w = function(w) w:send("t", { value = 1 }) end }
  > local expect = { messages { topic = "t" } }
  > for _, name in ipairs { "one", "two" } do
  >   scenario(name) { tags = { "fast" }, params = { n = 1, kind = "x" }, topics = topics, roles = roles, expect = expect }
  > end
  > scenario "three" { tags = { "slow", "fast" }, topics = topics, roles = roles, expect = expect }
  > L
  $ cat >scenarios/b.lua <<'L'
  > scenario "four" {
  >   topics = { t = {} }, roles = { w = function(w) w:send("t", { value = 1 }) end },
  >   expect = { messages { topic = "t" } },
  > }
  > L
  $ names() { kaos run -q --cluster kafka:0.0.1 --seed 1 -r jsonl "$@" 2>err | python3 -c '
  > import json, sys
  > runs = [json.loads(l) for l in sys.stdin]
  > print(*[r["verdict"].get("label", r["verdict"]["scenario"]) for r in runs if r["event"] == "run"])'; }
  $ names
  one two three four
  $ names -t fast
  one two three
  $ names -t fast,~slow
  one two
  $ names -t '~slow'
  one two four
  $ names -t fast -t slow
  three
  $ names -t slow four
  four
  $ names -t nosuch scenarios/a.lua:6
  three
  $ names -g o
  one two four
  $ names -g o -G f
  one two
  $ names scenarios/a.lua two
  two
  $ names --matrix n=1,2 --matrix kind=x,y one
  one[n=1,kind=x] one[n=1,kind=y] one[n=2,kind=x] one[n=2,kind=y]
  $ names --matrix n=1,2 --matrix kind=x,y 'one[n=2,kind=x]'
  one[n=2,kind=x]
  $ names --matrix n=1,2 -g 'n=2' one two
  one[n=2] two[n=2]
  $ KAOS_GREP=four names
  four
  $ KAOS_TAGS=slow KAOS_QUIET=1 names
  three
  $ KAOS_GREP=four names -g two
  two

Shards are parts of the whole.

  $ for i in 1 2 3; do names --shard $i/3 --no-match pass; done | tr ' ' '\n' | sed '/^$/d' | sort | tr '\n' ' '
  four one three two  (no-eol)

The names that the contract with a role's program uses are no flags.

  $ KAOS_SEED=junk KAOS_ROLE=x KAOS_INDEX=1 KAOS_INCARNATION=2 KAOS_BOOTSTRAP=b:1 names -g four
  four
  $ KAOS_NO_FAULTS=maybe kaos run
  kaos: KAOS_NO_FAULTS: maybe is not 1 or 0
  [64]
  $ KAOS_REPEAT=none kaos run
  kaos: --repeat: none is not a number from 1 to 1000000
  [64]

Nothing selected.

  $ kaos run -g nosuch
  kaos: nothing selected; `kaos list` shows what there is
  [5]
  $ kaos run -g nosuch --no-match warn
  kaos: warning: nothing selected; `kaos list` shows what there is
  $ kaos run -g nosuch --no-match pass
  $ kaos run oen
  kaos: no scenario has the name oen; `kaos list` shows what there is
  [5]
  $ kaos run one oen
  kaos: no scenario has the name oen; `kaos list` shows what there is
  [5]
  $ kaos run --shard 1/1000 one
  kaos: shard 1/1000 has none of the 1 selected scenarios; --no-match pass takes that as it is
  [5]
  $ kaos run --store fresh --last-failed
  kaos: nothing that is selected has failed when it last ran
  [5]

Values of params: flags win over the environment, the environment over files.

  $ params() { kaos run one -q --cluster kafka:0.0.1 -r jsonl "$@" 2>err | python3 -c '
  > import json, sys
  > print(json.loads(sys.stdin.readline())["verdict"]["params"])' 2>/dev/null || cat err; }
  $ echo '{ "n": 5, "kind": "json" }' >p.json
  $ echo 'return { n = 2 + 4, kind = "lua" }' >p.lua
  $ params
  {'kind': 'x', 'n': '1'}
  $ params --params p.json
  {'kind': 'json', 'n': '5'}
  $ params --params p.json --params p.lua
  {'kind': 'lua', 'n': '6'}
  $ KAOS_PARAM_n=7 params --params p.lua
  {'kind': 'lua', 'n': '7'}
  $ KAOS_PARAM_n=7 params --params p.lua -p n=8
  {'kind': 'lua', 'n': '8'}
  $ params --params p.lua --matrix n=9
  {'kind': 'lua', 'n': '9'}
  $ kaos run one -p n=1 --matrix n=1,2
  kaos: --matrix and --param both set n
  [64]
  $ KAOS_PARAM_m=7 kaos run one
  kaos: no selected scenario declares the param `m` (from --params or KAOS_PARAM_m)
  [64]
  $ kaos run --matrix n=1,2 three
  kaos: three: no param `n`; declared: none
  [64]
  $ kaos run --matrix n=1,none one
  kaos: one: param `n`: "none" is not a whole number; declared: kind = x (string), n = 1 (integer)
  [64]
  $ kaos run --params p.txt
  kaos: --params: p.txt is not FILE.json or FILE.lua
  [64]
  $ echo '[1]' >p.json && kaos run --params p.json
  kaos: --params: p.json: not a JSON object
  [64]
  $ echo '{"n": null}' >p.json && kaos run --params p.json
  kaos: --params: p.json: n is no number, string or boolean
  [64]
  $ echo 'return os.getenv "HOME"' >p.lua && kaos run --params p.lua
  kaos: --params: p.lua:1: attempt to index a nil value (global 'os')
  [64]
  $ echo 'while true do end' >p.lua && kaos run --params p.lua
  kaos: --params: p.lua:1: the file runs too long; it should only return a table
  [64]
  $ echo 'return 7' >p.lua && kaos run --params p.lua
  kaos: --params: p.lua: returns no table; write `return { workers = 5 }`
  [64]

Wrong words.

  $ kaos run --tags a,,b
  kaos: --tags: a,,b has an empty tag; write it as a,b,~c
  [64]
  $ kaos run --shard 3/2
  kaos: --shard: 3/2 is not a shard I/N with I from 1 to N
  [64]
  $ kaos run --matrix n
  kaos: --matrix: n is not NAME=a,b,c
  [64]
  $ kaos run --matrix n=1,1
  kaos: --matrix: n=1,1 has a value twice; write it as NAME=a,b,c
  [64]
  $ kaos run --inconclusive maybe
  kaos: --inconclusive: maybe is not fail, warn or pass
  [64]
  $ kaos run --history never
  kaos: --history: never is not on or on-fail
  [64]
  $ kaos run --for soon
  kaos: --for: soon is not a duration (250ms, 90s, 2m)
  [64]
  $ kaos run -j 2 --keep
  kaos: --keep leaves one cluster running: not with --jobs
  [64]
  $ kaos run -j 2 --cluster 127.0.0.1:1 one two
  kaos: --jobs: one and two would share the topic t on 127.0.0.1:1
  [64]
  $ kaos run -j 2 --cluster reuse one
  kaos: --jobs: a cluster that stays up (reuse) serves one run at a time
  [64]
  $ kaos run -j 2 --cluster 127.0.0.1:1 one --repeat 2
  kaos: --jobs: runs of one at the same time would share its topics on 127.0.0.1:1
  [64]
  $ kaos run --until-fail --at-least 1
  kaos: --at-least goes with --repeat alone
  [64]

The exit code of a suite is the worst of its parts, a file that does not load is one of them, and
what failed is remembered: by scenario, and for a file as a whole.

  $ echo 'scenario "five" { rolls = {} }' >scenarios/c.lua
  $ summary() { sed -n '/^──/,$p' | tail -n +2 | sed 's/   [0-9]*m*[0-9.]*m*s   / /'; }
  $ rm -r .kaos
  $ kaos run -q --cluster kafka:0.0.1 --seed 1 >out 2>err
  [3]
  $ summary <out
  5 scenarios   1 error   4 setup exit 3
    SETUP one              Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP two              Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP three            Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP four             Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    ERROR scenarios/c.lua  scenarios/c.lua:1: scenario "five": unknown field `rolls` (did you mean
                           `roles`?)
  again: kaos run --last-failed
  $ cat err
  scenarios/c.lua:1: scenario "five": unknown field `rolls` (did you mean `roles`?)
  $ python3 -c 'import json; [print(*json.loads(l).values()) for l in open(".kaos/outcomes.jsonl")]'
  scenarios/c.lua  3
  scenarios/a.lua  0
  scenarios/b.lua  0
  scenarios/a.lua one 4
  scenarios/a.lua two 4
  scenarios/a.lua three 4
  scenarios/b.lua four 4
  $ names --last-failed
  scenarios/c.lua one two three four
  $ names --last-failed -g wo scenarios
  two scenarios/c.lua
  $ sed -i 's/rolls = {}/topics = { t = {} }, roles = { w = function(w) w:log "x" end }, expect = { messages { topic = "t" } }/' scenarios/c.lua
  $ names --last-failed -G o
  five three
  $ (cd scenarios && kaos run --store ../.kaos -q --last-failed --cluster kafka:0.0.1 2>/dev/null) | summary
  5 scenarios   5 setup exit 4
    SETUP one           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP three         Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP four          Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP five          Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  again: kaos run --last-failed

Failures end a suite when that is asked for, and a sweep by itself.

  $ kaos run -q --cluster kafka:0.0.1 --max-fail 2 2>err | summary
  2 scenarios   2 setup   3 not run exit 4
    SETUP one           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  again: kaos run --last-failed
  $ sweep() { kaos run -q --cluster kafka:0.0.1 "$@" 2>err | grep -A 1 -E '   [0-9]+ (runs?|setup)  ' | sed 's/   [0-9.]*m*s$//; s/   [0-9a-f]\{6\}.*//; s/   [0-9.]*m*s   exit/   exit/'; }
  $ sweep two --until-fail --repeat 5
  two   1 run   1 setup
    ! setup  1\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  1 scenario   1 setup   4 not run   exit 4
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  $ sweep two three --repeat 12
  two   10 runs   10 setup
    ! setup  10\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  three   10 runs   10 setup
    ! setup  10\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  2 scenarios   20 runs   2 setup   4 not run   exit 4
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  $ sweep two --repeat 12 --max-fail 3
  two   3 runs   3 setup
    ! setup  3\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  1 scenario   3 runs   1 setup   9 not run   exit 4
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  $ sweep two --repeat 3 --at-least 0
  two   3 runs   3 setup
    ! setup  3\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  1 scenario   3 runs   1 setup   exit 4
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  $ sweep two --for 1ms
  two   1 run   1 setup
    ! setup  1\xc3\x97   Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1 (esc)
  --
  1 scenario   1 setup   exit 4
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1

A line per run, with the seed; the first seed is the one that was given, and a failure of a kind that
was seen before has no second block.

  $ kaos run two -q --cluster kafka:0.0.1 --seed 7 --repeat 3 2>err | sed -n 's/   [0-9.]*m*s   seed/ seed/; s/ run .*//; s/^\(SETUP\|  *Apache\)/\1/p'
  SETUP two seed 0x0000000000000007  
        Apache Kafka 0.0.1 is not here:
  SETUP two seed 0x72a4cd336531fd6e  
  SETUP two seed 0xd7ad1d3e7cb040e9  

Four at a time: the same, in the order in which they end, and nothing is left behind.

  $ kaos run -q -j 4 --cluster kafka:0.0.1 --seed 1 >out 2>err
  [4]
  $ summary <out | sort
    SETUP five          Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP four          Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP one           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP three         Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
    SETUP two           Apache Kafka 0.0.1 is not here: run script/kafka 0.0.1
  5 scenarios   5 setup exit 4
  again: kaos run --last-failed
  $ cat err
  $ ls .kaos
  outcomes.jsonl
  runs
