"""Plants the faults of docs/conformance/breaks.toml and looks whether the tests that they name fail.

The work tree stays as it is: the faults go into a worktree of HEAD below build/planted. What is
compiled gets all of its faults at once, each behind a switch (KITH_PLANTED names the one that is on),
so that one build serves them all; each test passes there with no fault on before it has to fail with
one. Faults that cannot be switched (`alone`) have a build each, at the end. Those that a test reads
as text (`as_text`) are written, read and taken back.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build" / "planted"
HEADER = """#pragma once
#include <cstdlib>
#include <cstring>
namespace kith {
/// Is this fault wanted?
inline bool planted(const char* name) {
  static const char* const wanted = std::getenv("KITH_PLANTED");
  return wanted != nullptr && std::strcmp(wanted, name) == 0;
}
}  // namespace kith
"""


def switchable(text, name, fault):
    """`text` with the fault in it, behind a switch."""
    switch = f'::kith::planted("{name}")'
    if "PLANTED" in fault["plant"]:
        return text.replace(fault["line"], re.sub(r"\bPLANTED\b", switch, fault["plant"]))
    either = f"if ({switch}) {{ {fault['plant']} }} else {{ {fault['line']} }}"
    # A comment at the end of the line would take the brace along.
    either = re.sub(r"(//[^\n]*?)( }$)", r"\1\n}", either)
    return text.replace(fault["line"], either)


def alone(text, fault):
    return text.replace(fault["line"], re.sub(r"\bPLANTED\b", "true", fault["plant"]))


class Tree:
    """A worktree of HEAD with a build of its own."""

    def __init__(self, vectors, jobs):
        self.vectors = vectors
        self.jobs = jobs
        if TREE.exists():
            run(["git", "-C", TREE, "checkout", "-q", "--force", "--detach",
                 output(["git", "-C", ROOT, "rev-parse", "HEAD"]).strip()])
        else:
            run(["git", "-C", ROOT, "worktree", "prune"])
            run(["git", "-C", ROOT, "worktree", "add", "-q", "--detach", TREE, "HEAD"])

    def write(self, file, text):
        (TREE / file).write_text(text, encoding="utf-8")

    def original(self, file):
        return output(["git", "-C", TREE, "show", f"HEAD:{file}"])

    def plant_all(self, faults):
        """Switches into every file; files whose text is the same already are left alone."""
        (TREE / "planted.hpp").write_text(HEADER, encoding="utf-8")
        for file in sorted({fault["file"] for fault in faults.values()}):
            text = self.original(file)
            for name, fault in faults.items():
                if fault["file"] == file:
                    text = switchable(text, name, fault)
            self.write(file, '#include "planted.hpp"\n' + text)

    def build(self, targets):
        run(["cmake", "-S", TREE, "-B", TREE / "build" / "dev", "--preset", "dev",
             f"-DKITH_VECTORS={self.vectors}", "-DKITH_BENCH=OFF"], cwd=TREE, quiet=True)
        run(["cmake", "--build", TREE / "build" / "dev", "--target", *sorted(targets), "--",
             f"-j{self.jobs}"], quiet=True)

    def passes(self, test, switch=None):
        """Runs one test. A test that is not there has not passed, and has not failed either."""
        environment = {**os.environ, "KITH_PLANTED": switch or "", "KITH_VECTORS": str(self.vectors)}
        folder, _, name = test.partition("/")
        program = TREE / "build" / "dev" / "tests" / f"{folder}_tests"
        if "." in name:
            words = [program, f"--gtest_filter={name}:*/{name}/*"]
        else:
            words = ["ctest", "--test-dir", TREE / "build" / "dev", "-R", f"^{re.escape(test)}$",
                     "--no-tests=error", "--output-on-failure"]
        try:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  env=environment, stdin=subprocess.DEVNULL, timeout=900, check=False)
        except subprocess.TimeoutExpired:
            return False
        if "No tests were found" in done.stdout + done.stderr or " 0 tests from" in done.stdout:
            raise SystemExit(f"there is no test {test}")
        return done.returncode == 0


def target_of(test):
    folder, _, name = test.partition("/")
    return f"{folder}_tests" if "." in name else "all"


def as_text_passes(test, kith):
    """A test that reads files: run in the tree itself, with Python alone."""
    scripts = {"tidy": ["tests/tidy/tidy_test.py"], "docs/limits": ["tests/docs/limits_test.py"],
               "docs/links": ["tests/docs/links_test.py"], "docs/conformance": ["tests/docs/conformance_test.py"],
               "docs/papers": ["tests/docs/papers_test.py"],
               "node/cli_docs": ["tests/node/cli_docs_test.py", str(kith)]}
    if test not in scripts:
        return None
    done = subprocess.run([sys.executable, *scripts[test]], cwd=TREE, capture_output=True, check=False)
    return done.returncode == 0


def check(faults, vectors, jobs, say):
    """Plants all of `faults`; returns {name: [what was not as it should be]}."""
    tree = Tree(vectors, jobs)
    compiled = {n: f for n, f in faults.items() if not f.get("as_text") and not f.get("alone")}
    read = {n: f for n, f in faults.items() if f.get("as_text")}
    single = {n: f for n, f in faults.items() if f.get("alone")}
    found = {name: [] for name in faults}
    tests = {test for fault in faults.values() for test in fault["fails"]}
    tree.plant_all(compiled)
    targets = {target_of(test) for test in tests if script_free(test)}
    tree.build("all" in targets and {"all"} or targets | {"kith"})
    kith = TREE / "build" / "dev" / "kith"

    def passes(test, switch=None):
        text = as_text_passes(test, kith)
        return tree.passes(test, switch) if text is None else text

    def judge(name, switch=None):
        for test in faults[name]["fails"]:
            if passes(test, switch):
                found[name].append(f"{test} passes in spite of it")
        say(f"{name}: " + ("; ".join(found[name]) or "its tests fail"))

    sound = {test: passes(test) for test in sorted(tests) if script_free(test)}
    for test, good in sound.items():
        if not good:
            for name, fault in faults.items():
                if test in fault["fails"]:
                    found[name].append(f"{test} fails without it")
    for name in compiled:
        judge(name, name)
    run(["git", "-C", TREE, "checkout", "-q", "--force", "HEAD", "--", "."])
    for name, fault in read.items():
        for test in fault["fails"]:
            if not script_free(test) and not passes(test):
                found[name].append(f"{test} fails without it")
        tree.write(fault["file"], alone(tree.original(fault["file"]), fault))
        judge(name)
        tree.write(fault["file"], tree.original(fault["file"]))
    for name, fault in single.items():
        tree.write(fault["file"], alone(tree.original(fault["file"]), fault))
        tree.build({target_of(test) for test in fault["fails"]})
        judge(name)
        tree.write(fault["file"], tree.original(fault["file"]))
    return found


def script_free(test):
    """Is it compiled, and not a script that reads the tree?"""
    return test not in ("tidy", "docs/limits", "docs/links", "docs/conformance", "docs/papers",
                        "node/cli_docs")


def remove():
    run(["git", "-C", ROOT, "worktree", "remove", "--force", TREE])


def output(words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout


def run(words, cwd=None, quiet=False):
    done = subprocess.run([str(word) for word in words], cwd=cwd, text=True, check=False,
                          capture_output=quiet, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        if quiet:
            sys.stderr.write((done.stdout + done.stderr)[-6000:])
        raise SystemExit(f"failed: {' '.join(str(word) for word in words)}")
