"""The table of requirements: reads docs/conformance, checks it, prints it. See conformance.sh.

A row is `met` only with a test that a planted fault of breaks.toml makes fail; `operator` is what a
person or place alone can do, and says how; `open` says why; `not-applicable` asks for a thing that
Kith does not have, and says which.
"""

import argparse
import json
import os
import re
import signal
import sys
import tomllib
import xml.etree.ElementTree as tree
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent
TABLES = ("dkms", "kms", "rfc", "nist")
STATUSES = ("met", "operator", "open", "not-applicable")
THREAT_STATUSES = ("met", "open")
WITH_REASON = ("open", "not-applicable")
MEMBERS = {"wants", "status", "how", "reason", "tests", "commands", "pages"}
THREAT_MEMBERS = {"actor", "attack", "control", "status", "reason", "tests"}
FAULT_MEMBERS = {"file", "line", "plant", "fails", "as_text", "alone", "seen"}
FOLDERS = ("crypto", "protocol", "ledger", "recovery", "node", "sim")
# Tests whose names CMake puts together.
COMPOSED = {"sim/StoryTest", "library/installed", "library/alone"}


def read(name, root=ROOT):
    return (root / "docs" / "conformance" / name).read_text(encoding="utf-8")


def tables(root=ROOT):
    """{id: row} of all tables; TOML refuses an id that a table has twice, this one of two tables."""
    rows = {}
    for name in TABLES:
        for row_id, row in tomllib.loads(read(f"{name}.toml", root)).items():
            if row_id in rows:
                raise ValueError(f"{row_id} stands in two tables")
            rows[row_id] = row
    return rows


def faults(root=ROOT):
    return tomllib.loads(read("breaks.toml", root))


def threats(root=ROOT):
    return tomllib.loads(read("threats.toml", root))


def known_tests(root=ROOT):
    """Names of all tests as CTest has them, read from the sources; of a suite with parameters, the
    name without them."""
    names = set(COMPOSED)
    macro = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)", re.M)
    for folder in FOLDERS:
        for file in sorted((root / "tests" / folder).glob("*.[ch]pp")):
            names |= {f"{folder}/{suite}.{test}" for suite, test in macro.findall(file.read_text(encoding="utf-8"))}
    for file in (*root.glob("*/CMakeLists.txt"), *root.glob("tests/*/CMakeLists.txt")):
        text = file.read_text(encoding="utf-8")
        names |= set(re.findall(r"add_test\(NAME ([\w/]+)\s", text))
        names |= {f"e2e/{name}" for name in re.findall(r"^kith_e2e\((\w+) ", text, re.M)}
        names |= {f"interop/{name}" for name in re.findall(r"^kith_interop\((\w+) ", text, re.M)}
    targets = root / "fuzz" / "targets.cpp"
    if targets.exists():
        names |= {f"fuzz/{name}" for name in re.findall(r'Target\{"(\w+)"', targets.read_text(encoding="utf-8"))}
    return names


def known_commands(root=ROOT):
    """All commands that docs/cli.md lists, and the groups that hold some."""
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^## `(kith(?: [a-z-]+)*)`", page, re.M))
    return listed | {" ".join(name.split()[:count]) for name in listed for count in (1, 2)}


def list_faults(row_id, row, members, statuses):
    for member in row.keys() - members:
        yield f"{row_id}: `{member}` means nothing"
    if row.get("status") not in statuses:
        yield f"{row_id}: its status is none of {', '.join(statuses)}"
    if row.get("status") in WITH_REASON and not row.get("reason"):
        yield f"{row_id}: {row['status']} without a reason"
    if row.get("status") not in WITH_REASON and row.get("reason"):
        yield f"{row_id}: has a reason but is {row.get('status')}"


def row_problems(row_id, row, tests, commands, broken, root):
    yield from list_faults(row_id, row, MEMBERS, STATUSES)
    if not row.get("wants"):
        yield f"{row_id}: does not say what is wanted"
    if row.get("status") in ("met", "operator") and not row.get("how"):
        yield f"{row_id}: does not say how"
    for test in row.get("tests", []):
        if test not in tests:
            yield f"{row_id}: there is no test {test}"
    for command in row.get("commands", []):
        if command not in commands:
            yield f"{row_id}: there is no command `{command}`"
    for page in row.get("pages", []):
        if not (root / page).exists():
            yield f"{row_id}: there is no {page}"
    if row.get("status") == "met" and not set(row.get("tests", [])) & broken:
        yield f"{row_id}: met, but no planted fault makes one of its tests fail"


def threat_problems(threat_id, threat, tests):
    yield from list_faults(threat_id, threat, THREAT_MEMBERS, THREAT_STATUSES)
    for member in ("actor", "attack", "control"):
        if not threat.get(member):
            yield f"{threat_id}: no `{member}`"
    if threat.get("status") == "met" and not threat.get("tests"):
        yield f"{threat_id}: met without a test"
    for test in threat.get("tests", []):
        if test not in tests:
            yield f"{threat_id}: there is no test {test}"


def fault_problems(name, fault, tests, root):
    for member in fault.keys() - FAULT_MEMBERS:
        yield f"{name}: `{member}` means nothing"
    if not fault.get("line") or "plant" not in fault or not fault.get("fails"):
        yield f"{name}: `line`, `plant` and `fails` belong to a fault"
        return
    if fault["line"] == fault["plant"]:
        yield f"{name}: changes nothing"
    file = root / fault.get("file", "")
    found = file.read_text(encoding="utf-8").count(fault["line"]) if file.is_file() else 0
    if found != 1:
        yield f"{name}: its line stands in {fault.get('file')} {found} times"
    for test in fault["fails"]:
        if test not in tests:
            yield f"{name}: there is no test {test}"
    if "seen" in fault and not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", str(fault["seen"])):
        yield f"{name}: `seen` is a day, as 2026-11-23"


def problems(rows, planted, models, root=ROOT):
    """Everything that is not in order, in words."""
    tests = known_tests(root)
    commands = known_commands(root)
    broken = {test for fault in planted.values() for test in fault.get("fails", [])}
    found = []
    for row_id, row in rows.items():
        found += row_problems(row_id, row, tests, commands, broken, root)
    for name, fault in planted.items():
        found += fault_problems(name, fault, tests, root)
    for threat_id, threat in models.items():
        found += threat_problems(threat_id, threat, tests)
    return found


def evidence(row, planted):
    return [{"test": test, "breaks": {name: str(fault.get("seen", "")) or None
                                      for name, fault in sorted(planted.items()) if test in fault["fails"]}}
            for test in row.get("tests", [])]


def passed_tests(reports):
    """Names that passed, and names that ran and did not, in reports of ctest."""
    passed, failed = set(), set()
    for report in reports:
        for case in tree.parse(report).getroot().iter("testcase"):
            name = re.sub(r"^(\w+)/\w+/(\w+\.\w+)/.*$", r"\1/\2", case.get("name"))
            (passed if case.get("status") == "run" else failed).add(name)
    return passed - failed, failed


def judged(rows, planted, reports):
    """The rows for print: with evidence, and `unproven` where a report lacks one of their tests."""
    passed, failed = passed_tests(reports)
    shown = []
    for row_id, row in rows.items():
        one = {"id": row_id, **row, "evidence": evidence(row, planted)}
        missing = [test for test in row.get("tests", []) if reports and test not in passed]
        if row["status"] == "met" and missing:
            one["status"] = "unproven"
            one["reason"] = "; ".join(f"{test} {'failed or was skipped' if test in failed else 'did not run'}"
                                      for test in missing)
        one.pop("tests", None)
        shown.append(one)
    return shown


def counts(shown):
    return {status: sum(row["status"] == status for row in shown)
            for status in (*STATUSES, "unproven") if any(row["status"] == status for row in shown)}


def total(shown):
    """The last line. A row is seen when one of its faults was planted and caught."""
    met = [row for row in shown if row["status"] == "met"]
    seen = sum(any(any(item["breaks"].values()) for item in row["evidence"]) for row in met)
    numbers = ", ".join(f"{number} {status}" for status, number in counts(shown).items())
    return f"{numbers}; of those that are met, {seen} with a fault that was seen to be caught"


def print_rows(shown):
    for row in shown:
        print(f"{row['id']:<13} {row['status']:<14} {row['wants']}")
        print(f"{'':<24}{row.get('reason') or row.get('how')}")
        for item in row["evidence"]:
            print(f"{'':<24}- {item['test']}")
            for name, seen in item["breaks"].items():
                print(f"{'':<26}fails with {name} ({'seen ' + seen if seen else 'not planted yet'})")
        for name in (*row.get("commands", []), *row.get("pages", [])):
            print(f"{'':<24}- {name}")
    print(total(shown))


def plant(rows, planted, wanted):
    """Plants the faults that `wanted` names, by their names or by the ids of rows."""
    from planted_breaks import check
    unknown = [name for name in wanted if name not in planted and name not in rows]
    if unknown:
        raise SystemExit(f"neither a row nor a fault: {', '.join(unknown)}")
    tests = {test for name in wanted if name in rows for test in rows[name].get("tests", [])}
    chosen = {name: fault for name, fault in planted.items()
              if not wanted or name in wanted or tests & set(fault["fails"])}
    vectors = Path(os.environ.get("KITH_VECTORS", ROOT.parent / "shared" / "vectors"))
    found = check(chosen, vectors, os.environ.get("KITH_JOBS", str(os.cpu_count())), print)
    bad = {name: why for name, why in found.items() if why}
    print(f"{len(found) - len(bad)} faults were caught, {len(bad)} were not")
    return 1 if bad or not found else 0


def main():
    words = argparse.ArgumentParser(add_help=False)
    words.add_argument("--json", action="store_true")
    words.add_argument("--results", action="append", default=[])
    words.add_argument("--status", choices=(*STATUSES, "unproven"))
    words.add_argument("--brief", action="store_true")
    words.add_argument("--breaks", action="store_true")
    words.add_argument("names", nargs="*")
    given = words.parse_args()
    try:
        rows, planted, models = tables(), faults(), threats()
    except (ValueError, OSError) as error:
        raise SystemExit(f"docs/conformance: {error}") from error
    found = problems(rows, planted, models)
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    if given.breaks:
        return 1 if found else plant(rows, planted, given.names)
    shown = judged(rows, planted, given.results)
    if given.names:
        shown = [row for row in shown if row["id"] in given.names]
    if given.status:
        shown = [row for row in shown if row["status"] == given.status]
    if given.brief:
        for row in shown:
            if row["status"] == "unproven":
                print(f"{row['id']}: {row['reason']}")
        print(total(shown))
    elif given.json:
        print(json.dumps({"counts": counts(shown), "rows": shown}, indent=1))
    else:
        print_rows(shown)
    return 1 if found or not shown or any(row["status"] == "unproven" for row in shown) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `conformance.sh | head` is no error.
    sys.exit(main())
