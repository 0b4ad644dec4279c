# The prompt at a terminal, with keys typed: completion, a chunk of several lines, a notice that does
# not tear the line, a wait that is interrupted, roles and faults by hand, .save and the saved file.
. "$KAOS_ROOT/tests/system/lib.sh"
command -v tmux >/dev/null || skip "tmux is not installed (script/setup --dev)"
export HOME=$PWD LC_ALL=C.UTF-8
unset XDG_STATE_HOME TMUX

cp "$KAOS_ROOT/tests/system/copy.lua" .

tm() { tmux -S "$PWD/tmux" "$@"; }
trap 'tm kill-server 2>/dev/null || true' EXIT
screen() { tm capture-pane -p -J -S -3000 -t p; }
shows() { screen | grep -qF -- "$1"; }
see() {
    local limit=$((SECONDS + ${2:-20}))
    until shows "$1"; do
        if [ $SECONDS -ge $limit ]; then
            screen | grep . | tail -n 30
            fail "the screen does not show: $1"
        fi
        sleep 0.05
    done
}
count() { screen | grep -cF -- "$1" || true; }
see_count() { [ "$(count "$1")" -ge "$2" ]; }
keys() { tm send-keys -t p -l -- "$1"; }
key() { tm send-keys -t p "$1"; }
enter() { keys "$1" && key Enter; }
start() { tm new-session -d -s p -x 110 -y 40 "$1; echo EXIT \$?; exec sleep 1000"; }

start "$KAOS"
see "kaos> "
see "embedded"
see " is up"

# a topic, records, a value of before, a chunk of several lines
enter 'topic("numbers", { partitions = 3 })'
see "numbers  3 partitions, empty"
enter 'function fill(n)'
see " ..> "
enter '  for i = 1, n do send("numbers", i) end'
enter 'end'
enter 'fill(3)'
wait_for 20 bash -c "tmux -S '$PWD/tmux' capture-pane -p -t p | grep -cE 'numbers\[[0-9]\]@[0-9] .*numbers\[[0-9]\]@[0-9]' | grep -q 1"
enter 'send("numbers", { key = "k", value = "four" })'
enter '_.topic'
see '"numbers"'
enter 'fill??'
see "-- prompt:2:1"

# an empty line leaves a chunk that is stuck
enter 'if true then'
key Enter
see "'end' expected"

# what is long is cut, and goes on
enter 'long = {} for i = 1, 50 do long[i] = i end'
enter 'long'
see "30 more (.more)"
enter '.more'
see "10 more (.more)"

# completion: a word, a topic in quotes, fields of a call, a command and a file
keys 'tai'
key Tab
see 'kaos> tail'
keys '("nu'
key Tab
see 'kaos> tail("numbers"'
enter ')'
see "│ numbers["
see "four"
keys '.loa'
key Tab
see 'kaos> .load'
keys 'cop'
key Tab
see 'kaos> .load copy.lua'
key Enter
see "copy   2 roles, 1 fault, 2 properties"
keys 'up { i'
key Tab
see 'kaos:copy> up { ids ='
enter ' 400 }'
see "writer.1#1 pid"
enter 'ps'
see "│ worker.2#1"
keys 'crash("worker.1", "before_c'
key Tab
see 'crash("worker.1", "before_commit"'
enter ')'
see "* worker.1#1 died by a fault"
see "* worker.1#2 started"

# a worker dies while a line is typed: the notice stands above it, the line is whole
enter 't = spawn(function() sleep "700ms" kill "worker.2" end)'
keys '40 + '
see "* worker.2#1 died by a fault"
keys '2'
wait_for 10 bash -c "tmux -S '$PWD/tmux' capture-pane -p -t p | grep -qx 'kaos:copy> 40 + 2'"
key Enter
wait_for 10 bash -c "tmux -S '$PWD/tmux' capture-pane -p -t p | grep -qx '42'"
see "* worker.2#2 started"

# a wait is interrupted, and the prompt goes on
enter 'for m in messages "numbers" do print(m) end'
see 'value="four"'
key C-c
see "cancelled"
enter '6 * 7'
wait_for 10 bash -c "tmux -S '$PWD/tmux' capture-pane -p -t p | grep -cx '42' | grep -q 2"
enter 'while true do end'
key C-c
stopped() { shows "interrupted" || see_count "cancelled" 2; } # before it has begun: cancelled
wait_for 10 stopped

# the properties so far, a reason, an id, and the session as a scenario
enter 'judge()'
see "no aborted reads"
if shows VIOLATED; then fail "a right worker violates something"; fi
enter 'why'
see "died by a fault"
enter '.timeline input[0]@0'
see "input[0]@0 of wr#1"
enter '.logs wo1'
see "logs/worker-1.2.log"
enter '.save found.lua'
see "found.lua: copy with 2 typed faults"
enter 'down()'
wait_for 20 bash -c "tmux -S '$PWD/tmux' capture-pane -p -t p | tail -n 3 | grep -q 'kaos:copy> *$'"
enter '.history 2'
see_history() { see_count "down()" 2; }
wait_for 10 see_history
key C-d
see "EXIT 0"
wait_for 10 none_left
tm kill-server

# the saved file is a scenario: the same faults, at their times
cat found.lua
grep -q 'crash { role = "worker", index = 1, point = "before_commit", at = ' found.lua || fail "crash"
grep -q 'kill { role = "worker", index = 2, at = ' found.lua || fail "kill"
run_kaos lint found.lua
expect "no errors"
run_kaos run found.lua --seed 1
expect_code 0
expect "PASS copy"
expect "400 exactly once"

# a stored run can be asked
cat >ask.lua <<'L'
n = 0
events(function(e) if e.kind == "crash" then n = n + 1 end end);
n
judge()[1].state
send("input", 1)
L
code=0
out=$("$KAOS" repl --attach latest <ask.lua 2>&1) || code=$?
echo "$out"
expect_code 3
[ "$(head -n 1 <<<"$out")" = 1 ] || fail "one crash is in the history"
expect "held"
expect "this prompt is attached to a stored run"

# what no later event undoes is said at once, with its evidence
cat >twice.lua <<'L'
.load copy.lua copy/twice
up()
while #tail("output", 40) < 6 do sleep "100ms" end
for _, p in ipairs(judge()) do print(p.property, p.state) end
why
down()
L
code=0
out=$("$KAOS" repl <twice.lua 2>&1) || code=$?
echo "$out"
expect_code 0
grep -qP "exactly once\tVIOLATED" <<<"$out" || fail "the duplicate was not seen"
grep -qP "all is copied\t(open|holds so far)" <<<"$out" || fail "an eventually is final"
expect "duplicate"
wait_for 10 none_left

# lines typed before are there again; nothing outlives a prompt that is killed
start "$KAOS repl copy.lua"
see "copy   2 roles"
key Up
key Up
see 'down()'
key C-c
enter 'up { ids = 1000 }'
see "writer.1#1 pid"
pid=$(tm list-panes -t p -F '#{pane_pid}')
pkill -9 -P "$pid" -x kaos
see "EXIT 137"
wait_for 10 none_left
