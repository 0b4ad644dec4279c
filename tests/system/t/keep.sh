# --keep leaves the cluster and says how to reach and end it; --no-faults; --timeout bounds the work.
. "$KAOS_ROOT/tests/system/lib.sh"
cat >keep.lua <<'L'
scenario "keep" {
  topics = { numbers = {} },
  roles  = { writer = function(w) for i = 1, 20 do w:send("numbers", { value = i }) end end,
             reader = function(w) for m in w:messages "numbers" do w:log("%s", m.value) end end },
  faults = { crash { role = "reader", p = 1, per = "message", max = 1 } },
  expect = { no_loss { from = "numbers", to = "reader" } },
}
scenario "endless" {
  topics = { numbers = {} },
  roles  = { writer = function(w) for i = 1, 1000000 do w:send("numbers", { value = i }) w:pace "20/s" end end },
  expect = { messages { topic = "numbers" } },
}
L
for cluster in embedded kafka; do
    run_kaos run keep.lua -g keep --seed 1 --no-faults --keep --cluster $cluster
    expect_code 0
    expect "crash reader 0"
    bootstrap=$(sed -n 's/^bootstrap: *//p' <<<"$out")
    end=$(sed -n 's/^to end it: *//p' <<<"$out")
    [ -n "$bootstrap" ] || fail "it is not said how to reach the cluster"
    [ -n "$end" ] || fail "it is not said how to end the cluster"
    [ "$(processes_of "$PWD" | wc -l)" -eq 1 ] || fail "not just the broker is left: $(ps -fp "$(processes_of "$PWD" | paste -sd,)")"
    # it is a cluster like any other now, with the topics of the run
    run_kaos run keep.lua -g keep --seed 1 --no-faults --cluster "$bootstrap"
    expect_code 4
    expect "topic numbers exists already"
    bash -c "$end"
    wait_for 5 none_left
done

begin=$SECONDS
run_kaos run keep.lua -g endless --seed 1 --timeout 1s
expect_code 2
expect "time limit"
[ $((SECONDS - begin)) -le 30 ] || fail "a time limit of 1 s took $((SECONDS - begin)) s"
