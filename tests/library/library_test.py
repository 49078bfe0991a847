#!/usr/bin/env python3
"""The library as somebody else gets it: installed from what is built, found by find_package, used by
examples/two-parties; and crypto and protocol configure and build with nothing of the rest.

library_test.py installed BUILD | alone BUILD
`alone` compiles many files at once; with KITH_LONG=1 each by itself.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "two-parties"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def run(*words, code=0):
    done = subprocess.run([str(word) for word in words], text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (code == 0), f"{words}: exit {done.returncode}\n{said}"
    return said


def cached(build):
    """The build's own choices, so that the example is compiled and linked likewise."""
    lines = (build / "CMakeCache.txt").read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([^:]+):[^=]*=(.*)", line).groups() for line in lines
                if re.match(r"[A-Za-z_].*:.*=", line))


def missing_headers(include):
    """Headers that an installed header includes and that are not installed."""
    return sorted({name for path in include.rglob("*") if path.is_file()
                   for name in INCLUDE.findall(path.read_text(encoding="utf-8"))
                   if not (include / name).exists()})


def configure_example(choices, prefix, build, source=EXAMPLE, code=0):
    sanitizers = choices.get("KITH_SANITIZE", "").replace(";", ",")
    flags = f"-fsanitize={sanitizers}" if sanitizers else ""
    return run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
               f"-DCMAKE_CXX_COMPILER={choices['CMAKE_CXX_COMPILER']}", f"-DCMAKE_CXX_FLAGS={flags}",
               code=code)


def use(build, directory):
    """Installs the library of `build` and runs the example with it."""
    choices = cached(build)
    first = directory / "first"
    run("cmake", "--install", build, "--component", "kith-library", "--prefix", first)
    assert not (first / "bin").exists(), "a program came along"
    # What is installed may be moved, and needs nothing of the source tree.
    prefix = first.rename(directory / "prefix")
    include = prefix / "include" / "kith"
    assert missing_headers(include) == [], missing_headers(include)
    for path in prefix.rglob("*.cmake"):
        assert str(ROOT) not in path.read_text(encoding="utf-8"), f"{path} names the source tree"

    configure_example(choices, prefix, directory / "example")
    run("ninja", "-C", directory / "example")
    program = directory / "example" / "two_parties"
    said = run(program, "see you at noon")
    assert said == ("Bob reads: see you at noon\nIt is from Alice: yes\n"
                    "With one bit changed: refused\n"), said

    # What must be seen if it were wrong: a header left out, a component and a version that are not
    # there, a program that is too old for what it finds.
    (include / "crypto" / "result.hpp").unlink()
    assert missing_headers(include) == ["crypto/result.hpp"]
    other = directory / "other"
    shutil.copytree(EXAMPLE, other)
    rules = (other / "CMakeLists.txt").read_text(encoding="utf-8")
    for wrong in (rules.replace("kith 0.1", "kith 99.0"), rules.replace("crypto protocol", "ledger")):
        assert wrong != rules
        (other / "CMakeLists.txt").write_text(wrong, encoding="utf-8")
        said = configure_example(choices, prefix, directory / "refused", other, code=1)
        assert "kith" in said, said


def configure_alone(choices, build, *options):
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, "-DKITH_ONLY_LIBRARY=ON",
        f"-DCMAKE_CXX_COMPILER={choices['CMAKE_CXX_COMPILER']}", "-DKITH_WERROR=ON",
        "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0",
        f"-DKITH_DEPS_PREFIX={choices['KITH_DEPS_PREFIX']}", *options)


def alone(build, directory):
    choices = cached(build)
    assert any(name.startswith("LEVELDB_") for name in choices), "the whole needs LevelDB"
    configure_alone(choices, directory / "alone", "-DKITH_UNITE=OFF", "-DKITH_PRECOMPILE=OFF")
    few = cached(directory / "alone")
    extra = [name for name in few if name.startswith(("LEVELDB_", "GTest_", "CLI11_", "benchmark_"))]
    assert extra == [], f"asked for without need: {extra}"
    # ninja knows every file it would compile; no other folder is among them.
    sources = set(re.findall(rf"{re.escape(str(ROOT))}/([\w/]+\.cpp)",
                             run("ninja", "-C", directory / "alone", "-t", "compdb")))
    wanted = {path.relative_to(ROOT).as_posix() for folder in ("crypto", "protocol")
              for path in (ROOT / folder).glob("*.cpp")}
    assert sources == wanted, sorted(sources ^ wanted)
    assert "libkith_protocol.a" in run("ninja", "-C", directory / "alone", "-t", "commands")
    built = directory / "alone"
    if os.environ.get("KITH_LONG") != "1":
        built = directory / "united"
        configure_alone(choices, built, "-DKITH_UNITE=ON", "-DKITH_PRECOMPILE=ON")
    run("ninja", "-C", built, "-j1")  # Other tests run beside it.
    use(built, directory)


def main(act, build):
    with tempfile.TemporaryDirectory(prefix="kith-library-") as directory:
        {"installed": use, "alone": alone}[act](Path(build).resolve(), Path(directory).resolve())
    print(f"library: {act}: fine")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
