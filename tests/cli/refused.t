What a cluster cannot do is refused before anything runs, and is never a pass.

  $ unset GITHUB_ACTIONS GITHUB_STEP_SUMMARY
  $ cat >both.lua <<'L'
  > local function writer(w) w:send("t", { value = 1 }) end
  > local function add(name, config)
  >   scenario(name) {
  >     topics = { t = {} }, roles = { w = writer }, cluster = { config = config },
  >     expect = { messages { topic = "t" } },
  >   }
  > end
  > add("can", {})
  > add("cannot", { ["no.such.property"] = 1 })
  > L

By default it fails the suite.

  $ kaos run both.lua -q --seed 1 >all.txt
  [4]
  $ grep -c "^PASS  can " all.txt
  1
  $ sed -n '/^2 scenarios/,$p' all.txt | sed 's/ [0-9.]*m*s   exit/ TIME   exit/'
  2 scenarios   1 pass   1 refused   TIME   exit 4
    SETUP cannot        the cluster embedded (a real one: --cluster kafka): the embedded broker does
                        not know the broker property 'no.such.property'
  again: kaos run --last-failed
  what was refused: kaos run --last-failed --cluster kafka

It may be accepted: skipped in reports, and still no pass.

  $ kaos run both.lua -q --seed 1 --refused warn -r junit=out.xml -r tap=out.tap >all.txt
  $ grep -o "1 pass   1 refused" all.txt
  1 pass   1 refused
  $ grep -c "(accepted)" all.txt
  1
  $ grep -o '<skipped type="environment"' out.xml
  <skipped type="environment"
  $ grep -c "^not ok" out.tap
  0
  [1]
  $ kaos run --last-failed -q --seed 1 --refused warn | grep -c "^PASS"
  0
  [1]

Not when there was nothing else.

  $ kaos run both.lua cannot -q --seed 1 --refused pass >/dev/null
  [4]
  $ kaos run both.lua -q --seed 1 --refused maybe
  kaos: --refused: maybe is not fail, warn or pass
  [64]

In processes of their own, too.

  $ kaos run both.lua -q --seed 1 -j 2 --refused warn | grep -o "1 pass   1 refused"
  1 pass   1 refused
  $ kaos run both.lua -q --seed 1 -j 2 >/dev/null
  [4]

The default can be changed by the environment, and by the scenario.

  $ KAOS_CLUSTER=kafka:0.0.1 kaos run both.lua cannot -q | grep -o "Apache Kafka 0.0.1 is not here"
  Apache Kafka 0.0.1 is not here
  $ kaos inspect both.lua:can | grep '"kind"'
        "kind": "embedded",
