Ten wrong files: all but two are errors with file and line. Writing to the table of the seventh is an

error when it runs.

  $ bad="$TESTDIR/lint"
  $ for f in 1_typo_field 2_duration 3_role_name 4_noexpect 5_random; do cp $bad/$f.lua . && kaos lint $f.lua; echo "[$?]"; done
  1_typo_field.lua:1: error: scenario "t": unknown field `fault` (did you mean `faults`?)
  [3]
  2_duration.lua:1: error: kill.every: a duration needs a unit, write "5s" or "5ms"
  [3]
  3_role_name.lua:1: error: scenario "t", faults[1] (kill): no role `workers` (did you mean `worker`?)
  [3]
  4_noexpect.lua:1: error: scenario "t": expects nothing; a scenario without `expect` can only pass
  [3]
  5_random.lua:1: error: math.random() while loading: the file is loaded once in the runner and once in every worker, so it must give the same result each time; call it inside a role, or use a param
  [3]
  $ for f in 6_shared_counter 8_global 9_unknown; do cp $bad/$f.lua . && kaos lint $f.lua; echo "[$?]"; done
  6_shared_counter.lua:5: error: scenario "t": role writer assigns file-level `sent` (line 5), which reader, writer also use: they are separate processes with separate copies
  [3]
  8_global.lua:1: error: global `topic` assigned; write `local topic`
  [3]
  9_unknown.lua:1: error: unknown name `exactly_onec`, did you mean `exactly_once`?
  [3]
  $ cp $bad/7_shared_table.lua . && kaos lint 7_shared_table.lua
  7_shared_table.lua:3: note: scenario "t": file-level table `seen` is read-only inside roles (reader, writer)
  7_shared_table.lua: 1 scenario, no errors
  $ cp $bad/10_single.lua . && kaos lint 10_single.lua
  10_single.lua:3: warning: scenario "t": role a assigns file-level `tries` (line 3): lost when the process is killed
  10_single.lua: 1 scenario, no errors

The messages for params, probabilities, names, times and stop.

  $ for f in param probability nosuch no_time stop; do cp $bad/$f.lua . && kaos lint $f.lua; echo "[$?]"; done
  param.lua:1: error: scenario "t", role `a`, count: no param `wrokers` (did you mean `workers`?)
  [3]
  probability.lua:4: error: scenario "t", faults[1] (crash), p: 2 is not a probability, write 0..1 (2 % is 0.02)
  [3]
  nosuch.lua:4: error: scenario "t", expect[1] (no_loss), from: no topic or role `nosuch`
  [3]
  no_time.lua:4: error: scenario "t", faults[1] (kill): needs `every` or `at`
  [3]
  stop.lua:1: error: scenario "t", stop: unknown field `afetr` (did you mean `after`?)
  [3]

As JSON; many files; run refuses what lint refuses.

  $ kaos lint --format json 3_role_name.lua | python3 -c 'import json, sys; d = json.load(sys.stdin)[0]; print(d["file"], d["line"], d["severity"])'
  3_role_name.lua 1 error
  $ kaos lint 1_typo_field.lua 10_single.lua >/dev/null
  [3]
  $ kaos run 1_typo_field.lua
  1_typo_field.lua:1: scenario "t": unknown field `fault` (did you mean `faults`?)
  [3]
The shipped scenarios have neither errors nor warnings nor notes, and all of them are looked at:

  $ kaos lint "$TESTDIR/../../scenarios" | grep -vE ': [0-9]+ scenarios?, no errors$'
  [1]
  $ [ "$(kaos lint "$TESTDIR/../../scenarios" | wc -l)" -eq "$(ls "$TESTDIR"/../../scenarios/*.lua | wc -l)" ]
