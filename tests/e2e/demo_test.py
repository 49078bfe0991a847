#!/usr/bin/env python3
"""The demo is a test: it goes as told in its time, and a story that goes otherwise ends with a
non-zero exit code (shown with a liar that tells the truth)."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STORY = Path(__file__).resolve().parent.parent.parent / "scripts" / "demo_story.py"
TIMEOUT_S = 140


def tell(build):
    return subprocess.run([sys.executable, str(STORY), str(build)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def main(build):
    build = Path(build).resolve()
    told = tell(build)
    print(told.stdout)
    assert told.returncode == 0, f"exit {told.returncode}\n{told.stderr}"
    assert "Alice is herself again" in told.stdout

    # The planted fault: Grace's program is the honest one, so nobody can be named.
    with tempfile.TemporaryDirectory() as directory:
        other = Path(directory)
        (other / "tests" / "e2e").mkdir(parents=True)
        os.symlink(build / "kith", other / "kith")
        shutil.copy(build / "kith", other / "tests" / "e2e" / "kith-faulty")
        untrue = tell(other)
    assert untrue.returncode not in (0, None), "a story that did not happen was told as true"
    assert "did not go as told" in untrue.stderr + untrue.stdout, untrue.stderr
    print("demo: as told; an untrue story ends with", untrue.returncode)


if __name__ == "__main__":
    main(sys.argv[1])
