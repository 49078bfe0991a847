#!/usr/bin/env python3
"""The demo is a test: it goes as told in its time, and a story that goes otherwise or takes longer
ends with a non-zero exit code (shown with a liar that tells the truth, and with too short a limit).

Test builds are slow, and other tests run beside this one: KITH_DEMO_LIMIT_S, if it is not set, is
120 seconds here."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STORY = Path(__file__).resolve().parent.parent.parent / "scripts" / "demo_story.py"
TIMEOUT_S = 140
SLOW_LIMIT_S = 120


def tell(build, limit_s=None):
    limit = {"KITH_DEMO_LIMIT_S": str(limit_s)} if limit_s else {}
    return subprocess.run([sys.executable, str(STORY), str(build)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          env={"KITH_DEMO_LIMIT_S": str(SLOW_LIMIT_S), **os.environ, **limit})


def check_limit(build):
    """A limit that makes no sense stops the story before it begins."""
    for nonsense in ("soon", "0", "-1", "nan"):
        refused = tell(build, nonsense)
        assert refused.returncode != 0 and "KITH_DEMO_LIMIT_S" in refused.stderr, refused
        assert not refused.stdout, refused.stdout


def main(build):
    build = Path(build).resolve()
    check_limit(build)
    told = tell(build)
    print(told.stdout)
    assert told.returncode == 0, f"exit {told.returncode}\n{told.stderr}"
    assert "Alice is herself again" in told.stdout

    # The planted fault: a limit that no machine keeps.
    late = tell(build, 0.5)
    assert late.returncode == 1, f"exit {late.returncode}\n{late.stderr}"
    assert "Alice is herself again" in late.stdout and "may take 0.5 s" in late.stderr, late.stderr

    # The planted fault: Grace's program is the honest one, so nobody can be named.
    with tempfile.TemporaryDirectory() as directory:
        other = Path(directory)
        (other / "tests" / "e2e").mkdir(parents=True)
        os.symlink(build / "kith", other / "kith")
        shutil.copy(build / "kith", other / "tests" / "e2e" / "kith-faulty")
        untrue = tell(other)
    assert untrue.returncode not in (0, None), "a story that did not happen was told as true"
    assert "did not go as told" in untrue.stderr + untrue.stdout, untrue.stderr
    print("demo: as told; too slow is a failure; an untrue story ends with", untrue.returncode)


if __name__ == "__main__":
    main(sys.argv[1])
