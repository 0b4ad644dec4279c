"""same_verdicts.py A.json... -- B.json...: reports of the same scenarios on two kinds of clusters
(`-r json=`; a scenario that stands in several files counts as in the last one). Both must judge each
scenario that both ran the same: the verdict, whether a twin failed as declared, the state of every
declared property. At least one scenario must stand on both sides, and none may have been refused.
Prints a line for each; exit code 1 when they differ."""
import json
import sys

SIDES = " ".join(sys.argv[1:]).split(" -- ")


def read(paths):
    runs = {}
    for path in paths.split():
        with open(path, encoding="utf-8") as f:
            for run in json.load(f)["runs"]:
                runs[run["file"], run.get("label") or run["scenario"]] = run
    return runs


def summary(run):
    """What must be the same. A twin's other properties may or may not suffer from its bug."""
    said = {"verdict": run["verdict"], "exit_code": run["exit_code"], "as declared": run["expected"]}
    if not run["twin"]:
        for p in run["properties"]:
            if p["mode"]:
                said[p["mode"] + " " + p["name"]] = p["state"]
    return said


def main():
    if len(SIDES) != 2:
        sys.exit(__doc__)
    left, right = read(SIDES[0]), read(SIDES[1])
    both = sorted(left.keys() & right.keys())
    wrong = 0
    for key in both:
        a, b = summary(left[key]), summary(right[key])
        refused = "environment" in (a["verdict"], b["verdict"])
        same = a == b and not refused
        wrong += not same
        print(f"{'same' if same else 'NOT THE SAME'}  {key[1]}  {a['verdict']}")
        if not same:
            print(f"    {left[key]['cluster']}: {a}\n    {right[key]['cluster']}: {b}")
    print(f"{len(both)} scenarios on both, {wrong} not judged the same")
    sys.exit(1 if wrong or not both else 0)


main()
