# The exit code of a suite is the worst of its parts (fail over error over environment over
# inconclusive); reports of many runs are valid; --repeat and --at-least count.
. "$KAOS_ROOT/tests/system/lib.sh"
mkdir all
cat >all/pass.lua <<'L'
local topics = { numbers = {} }
local function writer(w) for i = 1, 20 do w:send("numbers", { value = i }) end end
scenario "pass" { topics = topics, roles = { writer = writer }, expect = { messages { topic = "numbers", at_least = 20 } } }
L
cat >all/fail.lua <<'L'
scenario "fail <&\"" {
  topics = { numbers = {} },
  roles  = { writer = function(w) for i = 1, 20 do w:send("numbers", { value = i }) end
                                  w:assert(false, "numbers are even", { n = "]]>\1" }) end },
  expect = { messages { topic = "numbers" }, always "numbers are even" },
}
L
cat >all/inconclusive.lua <<'L'
scenario "inconclusive" {
  topics = { numbers = {} },
  roles  = { writer = function(w) w:send("numbers", { value = 1 }) end },
  expect = { messages { topic = "numbers" }, sometimes "pigs fly" },
}
L
cat >all/wrong.lua <<'L'
scenario "wrong" { topics = { numbers = {} }, rolls = {}, expect = { messages { topic = "numbers" } } }
L
cat >all/elsewhere.lua <<'L'
scenario "elsewhere" {
  cluster = { kind = "kafka:9.9.9" },
  topics  = { numbers = {} },
  roles   = { writer = function(w) w:send("numbers", { value = 1 }) end },
  expect  = { messages { topic = "numbers" } },
}
L
run_kaos run all --seed 1 -q -r junit=out.xml -r json=out.json
expect_code 1
expect "1 pass"
expect "1 FAIL"
expect "1 inconclusive"
expect "all/wrong.lua:1"
expect "script/kafka 9.9.9"
python3 - <<'P'
import json
import xml.etree.ElementTree as ET
root = ET.parse("out.xml").getroot()
suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
cases = [c for s in suites for c in s.findall("testcase")]
names = {c.get("classname") + " " + c.get("name") for c in cases}
assert any("fail" in n for n in names) and any("pass" in n for n in names), names
for s in suites:
    inner = s.findall("testcase")
    assert int(s.get("tests")) == len(inner), s.attrib
    assert int(s.get("failures")) == sum(c.find("failure") is not None for c in inner), s.attrib
    assert int(s.get("errors")) == sum(c.find("error") is not None for c in inner), s.attrib
failed = [c for c in cases if c.find("failure") is not None]
assert len(failed) == 1 and "numbers are even" in failed[0].get("name"), [c.attrib for c in failed]
assert any(c.find("error") is not None for c in cases), "no errors in JUnit"
json.load(open("out.json", encoding="utf-8"))
P
run_kaos run all/inconclusive.lua all/elsewhere.lua all/wrong.lua --seed 1 -q
expect_code 3
run_kaos run all/elsewhere.lua -q
expect_code 4
run_kaos run all/pass.lua --repeat 2 --at-least 1 --seed 1 -q
expect_code 0
expect "2 of 2 (at least 1)"
run_kaos run all/pass.lua --repeat 2 --at-least 3
expect_code 64
