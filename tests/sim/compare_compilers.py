#!/usr/bin/env python3
"""Runs the same seeds in this build's simulator and in one of another compiler: the trace hashes
must be equal. That they differ from seed to seed, and are the same twice, is many_seeds.py's.

   compare_compilers.py KITH_SIM BUILDS

KITH_SIM is this build's program, BUILDS the folder that holds one build a preset. Another build
counts when its compiler is of another family and no source is newer than its program; without
one the comparison is skipped (77), but under KITH_LONG=1 clang's build must find one.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ("crypto", "protocol", "ledger", "recovery", "node", "sim")
TOWN = ("--nodes", "4", "--trustees", "3", "--threshold", "2")
RUNS = (("--seed", "1"), ("--seed", "2", "--faults"), ("--seed", "3", "--faults"))
SKIPPED = 77


def hash_of(program, run):
    command = [str(program), "run", "setup-and-recover", *TOWN, *run]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"^  trace   ([0-9a-f]{64})$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        sys.exit(f"failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return found.group(1)


def family(build):
    """clang or gcc, from the build's cache; empty if it was never configured."""
    cache = build / "CMakeCache.txt"
    if not cache.is_file():
        return ""
    found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache.read_text(), re.MULTILINE)
    return ("clang" if "clang" in found.group(1) else "gcc") if found else ""


def newest_source():
    sources = (path for folder in CORE for path in (ROOT / folder).rglob("*.[ch]pp"))
    return max(path.stat().st_mtime for path in sources)


def others(program, builds):
    """Programs of other compilers, and why the rest does not count."""
    mine = family(program.parent)
    found, reasons = [], []
    for build in sorted(builds.iterdir()):
        theirs = family(build)
        other = build / "kith-sim"
        if theirs in ("", mine):
            continue
        if not other.is_file():
            reasons.append(f"{build.name} has no kith-sim")
        elif other.stat().st_mtime < newest_source():
            reasons.append(f"{build.name}/kith-sim is older than the sources")
        else:
            found.append(other)
    return found, reasons or ["no build of another compiler"]


def main():
    program, builds = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    found, reasons = others(program, builds)
    if not found:
        print("not compared:", "; ".join(reasons))
        must = os.environ.get("KITH_LONG") and family(program.parent) == "clang"
        sys.exit(1 if must else SKIPPED)
    mine = [hash_of(program, run) for run in RUNS]
    for other in found:
        for run, expected in zip(RUNS, mine):
            actual = hash_of(other, run)
            if actual != expected:
                sys.exit(f"{' '.join(run)}: {expected} here, {actual} in {other}")
        print(f"{len(RUNS)} runs agree with {other}")


if __name__ == "__main__":
    main()
