#!/usr/bin/env python3
"""docs/limits.md must say what crypto/limits.hpp and the limits of modules say: every constant, its
value, its reason.

`--write` writes the page anew. Without it the test first makes sure that it would notice a changed
value, a lost reason and a missing constant, then compares. Exit code 1 if the page has drifted.
"""

import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = ROOT / "crypto" / "limits.hpp"
# Limits that one module alone needs: (title, header).
MODULES = [("Audit files, incidents and alerts (`node/watch_limits.hpp`)", ROOT / "node" / "watch_limits.hpp"),
           ("Several devices (`recovery/agent_limits.hpp`)", ROOT / "recovery" / "agent_limits.hpp"),
           ("Exported wallets (`recovery/portable_limits.hpp`)", ROOT / "recovery" / "portable_limits.hpp"),
           ("Ledgers in etcd (`ledger/etcd/limits.hpp`)", ROOT / "ledger" / "etcd" / "limits.hpp"),
           ("Ledger hosts and copies (`ledger/remote/limits.hpp`)", ROOT / "ledger" / "remote" / "limits.hpp"),
           ("Logs (`ledger/log_limits.hpp`)", ROOT / "ledger" / "log_limits.hpp"),
           ("Ledgers on chains (`ledger/evm/limits.hpp`)", ROOT / "ledger" / "evm" / "limits.hpp"),
           ("Policy documents (`node/rule_limits.hpp`)", ROOT / "node" / "rule_limits.hpp"),
           ("Proposals (`ledger/proposal_limits.hpp`)", ROOT / "ledger" / "proposal_limits.hpp"),
           ("Super-quorum (`recovery/super_limits.hpp`)", ROOT / "recovery" / "super_limits.hpp"),
           ("Witnesses (`ledger/witness_limits.hpp`)", ROOT / "ledger" / "witness_limits.hpp")]
PAGE = ROOT / "docs" / "limits.md"

INTRODUCTION = """# Limits

Nothing that reaches a node from outside meets an unbounded loop or allocation: what is larger than
the limit is refused with the error `limit_exceeded`, before memory is spent on it. The numbers live
in [`crypto/limits.hpp`](../crypto/limits.hpp), those of one module alone in a header of its own; this
page is written from them by `tests/docs/limits_test.py --write`, and a test fails when they differ.
"""

CONSTANT = re.compile(
    r"inline constexpr (?P<type>[\w:]+) (?P<name>k\w+)(?: = (?P<value>[^;]+)|\{(?P<braced>[^;]+)\});")
UNITS = {"std::chrono::milliseconds": "ms", "std::chrono::seconds": "s", "std::chrono::minutes": "min",
         "std::chrono::hours": "h"}


def parse(header):
    """[(section, [(name, value, reason)])] in the order of the file."""
    sections, reason = [], []
    body = header[header.index("namespace kith::limits {"):]
    # A declaration that the formatter broke in two is one line again.
    body = re.sub(r"(inline constexpr [^;/]*?)\n\s+", r"\1 ", body)
    for line in body.split("\n")[1:]:
        line = line.strip()
        if line.startswith("///"):
            reason.append(line[3:].strip())
        elif line.startswith("//"):
            sections.append((line[2:].strip(), []))
        elif line.startswith("inline constexpr"):
            match = CONSTANT.match(line)
            if not match:
                raise ValueError(f"limits.hpp: cannot read: {line}")
            value = value_text(match["type"], match["name"], match["value"] or match["braced"])
            trailing = line[match.end():].strip().removeprefix("///<").strip()
            sections[-1][1].append((match["name"], value, " ".join(reason + [trailing]).strip()))
            reason = []
        elif line:
            reason = []
    return sections


def value_text(kind, name, expression):
    plain = re.sub(r"std::\w+\{(\w+)\}", r"\1", expression).replace("'", "")
    plain = re.sub(r"\b(\d+)[uUlL]+\b", r"\1", plain)
    if not re.fullmatch(r"[\d\s+*()<\-]+", plain):
        return f"`{expression}`"
    number = eval(plain)  # Digits and operators only, checked above.
    if kind in UNITS:
        days = number / 24 if kind.endswith("hours") else 0
        return f"{int(days)} days" if days >= 2 and days == int(days) else f"{number:,} {UNITS[kind]}"
    if "Bytes" in name:
        for size, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
            if number >= size and number % size == 0:
                return f"{number // size} {unit}"
        return f"{number:,} bytes"
    return f"{number:,}"


def page_of(header):
    parts = [INTRODUCTION]
    for title, rows in parse(header):
        if rows:
            parts.append(f"\n## {title}\n\n| Limit | Value | Why |\n|---|---|---|\n")
            parts += [f"| `{name}` | {value} | {reason.replace('|', chr(92) + '|')} |\n"
                      for name, value, reason in rows]
    return "".join(parts)


def blind_spots(header, page):
    """Changes to the header that the comparison would not see."""
    first = CONSTANT.search(header)
    start = header.index("namespace kith::limits {")
    faults = {
        "a changed value": header.replace(first[0], first[0].replace(first["value"] or "1", "7")),
        "a changed reason": header[:start] + header[start:].replace("///", "/// Changed:", 1),
        "a new constant": header.replace(first[0], first[0] + "\ninline constexpr int kNew = 3;"),
        "a lost constant": header.replace(first[0], ""),
    }
    return [what for what, changed in faults.items() if page_of(changed) == page]


def all_limits():
    """The headers as one text."""
    text = HEADER.read_text(encoding="utf-8")
    for title, header in MODULES:
        module = header.read_text(encoding="utf-8")
        text += f"\n// {title}\n" + module[module.index("{", module.index("namespace ")) + 1:]
    return text


def main():
    header = all_limits()
    wanted = page_of(header)
    declared = len(re.findall(r"^inline constexpr", header, re.M))
    listed = sum(len(rows) for _, rows in parse(header))
    if declared != listed:
        print(f"crypto/limits.hpp declares {declared} limits, {listed} were read")
        return 1
    if "--write" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    for what in blind_spots(header, wanted):
        print(f"this test would not notice {what}")
        return 1
    found = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if found != wanted:
        sys.stdout.writelines(difflib.unified_diff(
            found.splitlines(True), wanted.splitlines(True), "docs/limits.md", "crypto/limits.hpp"))
        print("docs/limits.md has drifted: run tests/docs/limits_test.py --write")
        return 1
    print(f"docs/limits.md: {listed} limits, as in crypto/limits.hpp")
    return 0


if __name__ == "__main__":
    sys.exit(main())
