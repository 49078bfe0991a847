#!/usr/bin/env python3
"""The table of requirements (docs/conformance) is in order: every row well-formed, every requirement of
the reference there once, every test, command and page there, every planted fault at home in its file.
First the test makes sure that it notices what it must.

The threats by number in docs/threat-model.md are made from docs/conformance/threats.toml (`--write`).
Whether the faults are caught is what `scripts/conformance.sh --breaks` looks at, with a build of its own.
The reference lies in ../shared/reference, or at KITH_REFERENCE; without it that comparison is left out.
"""

import copy
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True

import conformance  # noqa: E402

REFERENCE = Path(os.environ.get("KITH_REFERENCE", ROOT.parent / "shared" / "reference")) / "requirements.md"


PAGE = ROOT / "docs" / "threat-model.md"
TABLE = re.compile(r"(<!-- table: threats -->\n).*?(<!-- end -->)", re.S)


def threat_table(models):
    rows = ["| | Who | Does what | What stands in the way | Tried by |", "|---|---|---|---|---|"]
    for threat_id, threat in models.items():
        tried = ", ".join(f"`{test}`" for test in threat.get("tests", []))
        reason = f"*open: {threat['reason']}*" if threat["status"] == "open" else ""
        rows.append(f"| {threat_id} | {threat['actor']} | {threat['attack']} | {threat['control']} | "
                    f"{'; '.join(part for part in (tried, reason) if part)} |")
    return "".join(row + "\n" for row in rows)


def wanted_ids(text):
    """Ids of the tables that bind a program; those of critical notes on the sources are no requirements."""
    return re.findall(r"^\| ((?:DKMS|KMS-[A-Z]+|RFC|NIST)-\d+[a-z]?) \|", text, re.M)


def id_problems(rows, text):
    wanted = wanted_ids(text)
    for row_id in wanted:
        if row_id not in rows:
            yield f"{row_id}: has no row"
    for row_id in rows.keys() - set(wanted):
        yield f"{row_id}: is no requirement of the reference"


def first(rows, status):
    return next(row_id for row_id, row in rows.items() if row["status"] == status and row.get("tests"))


def unnoticed(rows, planted, models):
    """Changes to the table that the checks do not see."""
    met, is_open = first(rows, "met"), first(rows, "open")
    fault, threat = next(iter(planted)), next(iter(models))

    def changed(what, change):
        parts = copy.deepcopy((rows, planted, models))
        change(*parts)
        if len(conformance.problems(*parts)) <= len(conformance.problems(rows, planted, models)):
            yield what

    changes = {
        "a row without a fault that its tests see": lambda r, p, m: r[met].update(tests=["tidy/none"]),
        "a met row without a test": lambda r, p, m: r[met].update(tests=[]),
        "a test that is not there": lambda r, p, m: r[is_open].update(tests=["crypto/No.SuchTest"]),
        "a command that is not there": lambda r, p, m: r[met].update(commands=["kith nonsense"]),
        "a page that is not there": lambda r, p, m: r[met].update(pages=["docs/nowhere.md"]),
        "an open row without a reason": lambda r, p, m: r[is_open].pop("reason"),
        "a met row with a reason": lambda r, p, m: r[met].update(reason="none"),
        "a row that does not apply, without a reason": lambda r, p, m: (
            r[is_open].pop("reason"), r[is_open].update(status="not-applicable")),
        "a threat that does not apply": lambda r, p, m: m[threat].update(status="not-applicable", reason="none"),
        "another status": lambda r, p, m: r[met].update(status="nearly"),
        "a member that means nothing": lambda r, p, m: r[met].update(evidence="much"),
        "a line that is gone from its file": lambda r, p, m: p[fault].update(line="no such line of code"),
        "a line that stands there twice": lambda r, p, m: p[fault].update(line="return"),
        "a fault that changes nothing": lambda r, p, m: p[fault].update(plant=p[fault]["line"]),
        "a day that is none": lambda r, p, m: p[fault].update(seen="yes"),
        "a fault for a test that is not there": lambda r, p, m: p[fault].update(fails=["crypto/No.SuchTest"]),
        "a control without a test": lambda r, p, m: m[threat].update(tests=[]),
        "a control whose test is not there": lambda r, p, m: m[threat].update(tests=["crypto/No.SuchTest"]),
    }
    for what, change in changes.items():
        yield from changed(what, change)
    some = "| KMS-GEN-1 | x |\n| KMS-USE-1a | x |\n| CRIT-1 | x |\n"
    if list(id_problems({"KMS-GEN-1": {}}, some)) != ["KMS-USE-1a: has no row"]:
        yield "a requirement without a row"
    if list(id_problems({"KMS-GEN-1": {}, "KMS-USE-1a": {}, "DKMS-9": {}}, some)) != [
            "DKMS-9: is no requirement of the reference"]:
        yield "a row without a requirement"


def report_is_read():
    """A row is met in a report only if all of its tests passed there."""
    rows = {"A": {"wants": "x", "how": "y", "status": "met", "tests": ["crypto/S.T", "e2e/u"]}}
    report = ROOT / "build" / "conformance_test.xml"
    report.parent.mkdir(exist_ok=True)
    verdicts = []
    for status in ("run", "fail", "notrun"):
        report.write_text(f'<testsuite><testcase name="crypto/S.T" status="run"/>'
                          f'<testcase name="e2e/u" status="{status}"/></testsuite>', encoding="utf-8")
        verdicts.append(conformance.judged(rows, {}, [report])[0]["status"])
    report.unlink()
    return verdicts == ["met", "unproven", "unproven"]


def main():
    rows, planted, models = conformance.tables(), conformance.faults(), conformance.threats()
    page = PAGE.read_text(encoding="utf-8")
    wanted = TABLE.sub(lambda found: found[1] + threat_table(models) + found[2], page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    blind = list(unnoticed(rows, planted, models))
    print(*(f"this test would not notice {what}" for what in blind), sep="\n", end="\n" if blind else "")
    found = conformance.problems(rows, planted, models)
    if page != wanted or "<!-- table: threats -->" not in page:
        found.append("docs/threat-model.md: its threats by number are not those of threats.toml (--write)")
    if not report_is_read():
        found.append("a report of ctest is misread")
    if REFERENCE.exists():
        found += id_problems(rows, REFERENCE.read_text(encoding="utf-8"))
    else:
        print(f"SKIPPED: {REFERENCE} is not there, so nothing says which requirements there must be")
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(rows)} rows, {len(planted)} planted faults, {len(models)} threats: {len(found)} problems")
    return 1 if found or blind else 0


if __name__ == "__main__":
    sys.exit(main())
