"""junit_schema.py FILE: is it a report by the rules of Jenkins' JUnit schema (junit-10.xsd)?

The rules are which elements stand in which, which attributes they have and must have, what text may
stand where, and the form of a time. Beside them the numbers of a suite must be those of its cases.
Prints the first offence and exits with 1."""

import re
import sys
import xml.etree.ElementTree as ET

# element: (children, required attributes, optional attributes, may hold text)
PROBLEM = ((), (), ("type", "message"), True)
RULES = {
    "testsuites": (("testsuite",), (), ("name", "time", "tests", "failures", "errors"), False),
    "testsuite": (("testsuite", "properties", "testcase", "system-out", "system-err"),
                  ("name", "tests", "failures", "errors"),
                  ("group", "time", "skipped", "timestamp", "hostname", "id", "package", "file",
                   "log", "url"), False),
    "properties": (("property",), (), (), False),
    "property": ((), ("name", "value"), (), False),
    "testcase": (("skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure",
                  "flakyError", "system-out", "system-err"), ("name",),
                 ("time", "classname", "group"), False),
    "failure": PROBLEM,
    "error": PROBLEM,
    "skipped": PROBLEM,
    "system-out": ((), (), (), True),
    "system-err": ((), (), (), True),
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def offence(element, text):
    sys.exit(f"{sys.argv[1]}: <{element.tag} {element.attrib}>: {text}")


def check(element):
    if element.tag not in RULES:
        offence(element, "no such element")
    children, required, optional, text = RULES[element.tag]
    for name in required:
        if name not in element.attrib:
            offence(element, f"lacks {name}")
    for name in element.attrib:
        if name not in required and name not in optional:
            offence(element, f"has {name}")
    if element.tag != "testcase" and not TIME.fullmatch(element.get("time", "0")):
        offence(element, "bad time")
    inner = [element.text] + [child.tail for child in element]
    if not text and any(part and part.strip() for part in inner):
        offence(element, "holds text")
    for child in element:
        if child.tag not in children:
            offence(element, f"holds <{child.tag}>")
        check(child)


def count(suite):
    cases = suite.findall("testcase")
    for name, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        found = sum(case.find(tag) is not None for case in cases)
        if int(suite.get(name, "0")) != found:
            offence(suite, f"has {found} cases with <{tag}>")
    if int(suite.get("tests")) != len(cases) or not cases:
        offence(suite, f"has {len(cases)} cases")


root = ET.parse(sys.argv[1]).getroot()
if root.tag != "testsuites":
    offence(root, "is not the root")
check(root)
for each in root.iter("testsuite"):
    count(each)
