#!/usr/bin/env python3
"""Constant time, watched by valgrind: compiles crypto/ with the given compiler and the flags of a release,
runs it on marked secrets, and fails at every branch and address that depends on one.

    constant_time_test.py COMPILER BUILD_DIR [--suppressions]

Controls: each of three deliberate leaks must be reported, at the line where it is; and the calls that make
something public must be as many as docs/constant-time.md gives reasons for. The cases assert that their
results are marked. What libraries do is left out only by allowed.supp, one row and one reason each.

--suppressions prints rows for what is reported, to be judged.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
SKIPPED = 77
LEAKS = ("leak_by_branch", "leak_by_address", "leak_by_comparison")
# No secret passes through these: tables and texts that others send, and what a person types.
LEFT_OUT = {"algorithms", "base58", "file_shares", "flat_value", "jose_header", "json", "json_read", "json_write",
            "jwe", "jwe_parse", "jws", "key_wire", "passphrase_strength", "passphrase_words", "random_health",
            "remote_keys", "slip39", "slip39_share", "slip39_words", "wire_buffer"}
# These ask OpenSSL for more than others, or for nothing.
ALONE = {"gf256", "hash", "pbkdf2"}
# Sections: what nobody calls is dropped before the linker misses what was left out.
FLAGS = ["-std=c++20", "-O2", "-g1", "-D_GLIBCXX_ASSERTIONS", "-D_FORTIFY_SOURCE=2", "-DKITH_CONSTANT_TIME_CHECK",
         "-fstack-protector-strong", "-ffunction-sections", "-fdata-sections"]
UNIT_FILES = 8
LIBRARIES = ["libsodium", "libsecp256k1", "libcrypto"]


def missing(what):
    """Where tests are skipped, this one says so; continuous integration has installed everything."""
    print(f"SKIPPED: {what} is not here")
    sys.exit(1 if os.environ.get("CI") else SKIPPED)


def pkg_config(option):
    return subprocess.run(["pkg-config", option, *LIBRARIES], capture_output=True, text=True,
                          check=True).stdout.split()


def run(words):
    done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(str(word) for word in words)}\n{done.stdout}{done.stderr}")


def units():
    """All sources as a few: what they include is much the same."""
    sources = [path for path in sorted((ROOT / "crypto").glob("*.cpp")) if path.stem not in LEFT_OUT]
    alone = [path for path in sources if path.stem in ALONE]
    rest = [path for path in sources if path not in alone]
    chunks = [rest[at:at + UNIT_FILES] for at in range(0, len(rest), UNIT_FILES)]
    return {f"unit_{i}": chunk for i, chunk in enumerate([alone, *chunks, sorted(HERE.glob("*.cpp"))])}


def build(compiler, folder):
    folder.mkdir(parents=True, exist_ok=True)
    # Valgrind 3.19 does not read the newer form that clang prefers.
    debug = ["-gdwarf-4"] if "clang" in Path(compiler).name else []
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    objects = []
    for name, sources in units().items():
        unit, target = folder / f"{name}.cpp", folder / f"{name}.o"
        unit.write_text("".join(f'#include "{path.relative_to(ROOT)}"\n' for path in sources), encoding="utf-8")
        run([*launcher, compiler, *FLAGS, *debug, f"-I{ROOT}", *pkg_config("--cflags"), "-c", unit, "-o", target])
        objects.append(target)
    program = folder / "constant_time"
    run([compiler, *objects, "-Wl,--gc-sections", "-o", program, *pkg_config("--libs")])
    return program


def watch(program, case, *options):
    """(whether something was reported, what was said)."""
    done = subprocess.run(["valgrind", "-q", "--error-exitcode=9", "--error-limit=no", "--num-callers=24",
                           "--leak-check=no", f"--suppressions={HERE / 'allowed.supp'}", *options, str(program), case],
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 9):
        sys.exit(f"{case} did not come to its end ({done.returncode}):\n{done.stdout}{done.stderr[-8000:]}")
    return done.returncode == 9, done.stdout + done.stderr


def list_undocumented():
    """Files whose calls of declassify are not as many as the page has reasons for."""
    page = (ROOT / "docs" / "constant-time.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "crypto").glob("*.cpp")):
        calls = len(re.findall(r"\bdeclassif(?:y|ied)\(", path.read_text(encoding="utf-8")))
        reasons = len(re.findall(rf"^\| `crypto/{path.stem}`", page, re.M))
        if calls != reasons:
            yield f"crypto/{path.name}: makes {calls} values public, docs/constant-time.md has {reasons} reasons"


def main():
    compiler, build_dir = sys.argv[1], Path(sys.argv[2])
    for tool in ("valgrind", compiler):
        if shutil.which(tool) is None:
            missing(tool)
    program = build(compiler, build_dir / "tests" / "constant_time" / Path(compiler).name)
    options = ["--gen-suppressions=all"] if "--suppressions" in sys.argv else []
    reported, said = watch(program, "all", *options)
    print(said)
    problems = ["a branch or an address depends on a secret (above)"] if reported else []
    problems += list_undocumented()
    for leak in LEAKS:
        reported, said = watch(program, leak)
        if not reported or "leaks.cpp" not in said:
            problems.append(f"{leak}: valgrind says nothing about a deliberate leak\n{said}")
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
