#!/usr/bin/env python3
"""Twenty seeds with faults: everything must hold in each, and all together must have met every kind
of fault, in every phase. A small town in the ordinary run; the forty people with five trustees each
under KITH_LONG=1, unless this build is told to be slow (--slow).

   many_seeds.py KITH_SIM [--slow]
"""

import os
import subprocess
import sys

SMALL = ("--nodes", "4", "--trustees", "3", "--threshold", "2")
WHOLE = ("--nodes", "40", "--trustees", "5", "--threshold", "3")


def main():
    whole = os.environ.get("KITH_LONG") and "--slow" not in sys.argv
    town = WHOLE if whole else SMALL
    command = [sys.argv[1], "run", "setup-and-recover", "--seeds", "1..20", "--faults", "--cover"]
    sys.exit(subprocess.run([*command, *town], check=False).returncode)


if __name__ == "__main__":
    main()
