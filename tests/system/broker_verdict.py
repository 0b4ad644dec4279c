"""Accepts the verdict.json of a run with broker kills: PASS, or a FAIL that the log itself lays at the
broker's door (marker_missing or stale_marker) and that blames nobody else."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    verdict = json.load(f)
kinds = {f["kind"] for f in verdict["findings"] if not f["warning"]}
blamed = {f["blame"]["party"] for f in verdict["findings"] if not f["warning"]}
print(verdict["verdict"], verdict["reason"], sorted(kinds), sorted(blamed))
word = verdict["verdict"].upper()
if word == "PASS":
    sys.exit(0)
if word != "FAIL" or blamed - {"broker", "undetermined"}:
    sys.exit(1)
sys.exit(0 if kinds & {"marker_missing", "stale_marker"} else 1)
