#!/usr/bin/env python3
"""Twenty seeds with faults: everything must hold in each, and all together must have met every kind
of fault, in every phase. Their trace hashes differ, and the first seed, run again alone, gives the same.
A small town in the ordinary run; the forty people with five trustees each under KITH_LONG=1, unless
this build is told to be slow (--slow).

   many_seeds.py KITH_SIM [--slow]
"""

import os
import re
import subprocess
import sys

SMALL = ("--nodes", "4", "--trustees", "3", "--threshold", "2")
WHOLE = ("--nodes", "40", "--trustees", "5", "--threshold", "3")


SEEDS = 20
JOBS = min(os.cpu_count() or 1, 8)


def run(program, *options):
    """The run's exit code and the trace hash of each seed, printed as they come."""
    town = WHOLE if os.environ.get("KITH_LONG") and "--slow" not in sys.argv else SMALL
    hashes = []
    with subprocess.Popen([program, "run", "setup-and-recover", "--faults", *options, *town],
                          stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            hashes += re.findall(r"^  trace   ([0-9a-f]{64})$", line)
    return process.returncode, hashes


def main():
    program = sys.argv[1]
    code, hashes = run(program, "--seeds", f"1..{SEEDS}", "--cover", "--jobs", str(JOBS))
    if code != 0:
        sys.exit(code)
    if len(set(hashes)) != SEEDS:
        sys.exit("two seeds gave the same hash, or one gave none")
    code, again = run(program, "--seed", "1")
    if code != 0 or again != hashes[:1]:
        sys.exit("seed 1 run again gave another hash")


if __name__ == "__main__":
    main()
