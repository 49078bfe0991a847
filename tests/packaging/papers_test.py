#!/usr/bin/env python3
"""Manual pages and completion of a build have every command, argument and option of docs/cli.md (which
another test holds to `kith --help`), no more, and what formatters and shells take without a word.

    papers_test.py BUILD

Each check is first tried on pages and scripts that were spoiled.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BASH = "bash-completion/completions/kith"
ZSH = "zsh/vendor-completions/_kith"
FISH = "fish/vendor_completions.d/kith.fish"
TIMEOUT_S = 60
HAS_MAN, HAS_MANDOC = bool(shutil.which("man")), bool(shutil.which("mandoc"))


def run(*words, stdin=""):
    return subprocess.run([str(word) for word in words], input=stdin, text=True, capture_output=True, check=False,
                          timeout=TIMEOUT_S, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
                                                  "HOME": "/nonexistent", "MANWIDTH": "80", "TERM": "dumb"})


def help_sections():
    """{path: {argument: help}} of docs/cli.md; the options of every command alone are at ""."""
    out = {}
    text = (ROOT / "docs" / "cli.md").read_text()
    for path, body in re.findall(r"^## `kith ?([^`]*)`\n\n```\n(.*?)^```", text, re.M | re.S):
        usage = body.split("Subcommands:")[0]
        found = re.findall(r"^  (?:-h,)?(--[a-z0-9-]+|[A-Z]+)\b(?: [A-Z=]+)*\s+(\S.*(?:\n {20,}.*)*)", usage, re.M)
        out[path] = {name: re.sub(r"\s+", " ", said) for name, said in found if name != "--help"}
    return out


def shown(page):
    """A page as people read it, its lines joined and nothing of its marks left."""
    done = run("mandoc", "-Tascii", page) if HAS_MANDOC else run("man", "-E", "ascii", "-l", "-P", "cat", page)
    plain = re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)
    whole = re.sub(r"(?<=\w-)\n\s+(?=\w)", "", plain)  # Words are broken at their own hyphens too.
    return re.sub(r"\s+", " ", whole)


# Each check yields what is wrong in a tree of papers.


def man_complaints(share, sections):
    pages = {path.name: shown(path) for path in sorted((share / "man/man1").glob("*.1"))}
    words = {path.split()[0] for path in sections if path}
    for name in {f"kith-{word}.1" for word in words | {""}} ^ {page.replace("kith.1", "kith-.1") for page in pages}:
        yield f"{name} is missing, or of no command"
    for path, args in sections.items():
        name = f"kith-{path.split()[0]}.1" if path else "kith.1"
        page = pages.get(name, "")
        if f"kith {path}".strip() not in page:
            yield f"{name} does not say `kith {path}`"
        for arg, said in args.items():
            if not re.search(re.escape(arg) + r"( [A-Z=]+)?( \(required\))? " + re.escape(said.replace("`", "")), page):
                yield f"{name} does not explain {arg} of `kith {path}`: {said}"


def lint_complaints(share):
    """Of the formatters that are there."""
    for page in sorted((share / "man/man1").glob("*.1")):
        if HAS_MAN:
            yield from run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page).stderr.splitlines()
        if HAS_MANDOC:
            yield from (line for line in run("mandoc", "-Tlint", page).stdout.splitlines()
                        if "missing date" not in line)  # Pages have none.


def syntax_complaints(share):
    for shell, option, script in (("bash", "-n", BASH), ("zsh", "-n", ZSH), ("fish", "-n", FISH)):
        if not shutil.which(shell):
            continue
        done = run(shell, option, share / script)
        if done.returncode != 0 or done.stderr:
            yield f"{shell}: {done.stderr}"


def bash_offers(share, line):
    """What a real bash offers after this line."""
    words = line.split(" ")
    done = run("bash", "--norc", "--noprofile", "-c", """
        source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
        _kith kith "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}" """, "bash", share / BASH, *words)
    assert done.returncode == 0 and not done.stderr, (line, done.stderr)
    return set(done.stdout.split("\n")) - {""}


def fish_offers(share, line):
    done = run("fish", "--no-config", "-c", f"source {share / FISH}; complete -C '{line}'")
    assert done.returncode == 0, (line, done.stderr)
    return {offered.split("\t")[0] for offered in done.stdout.splitlines()}


def zsh_offers(share, line):
    """By stand-ins for the functions of zsh that show what is offered."""
    words = line.split(" ")[1:]
    done = run("zsh", "-f", "-c", """
        _describe() { local -a offered; offered=("${(@P)2}"); print -rl -- ${offered%%:*} }
        _files() { }
        _arguments() {
          local spec; local -a rest
          for spec in "$@"; do
            [[ $spec == (\\*|)--* ]] && print -r -- "${${spec#\\*}%%\\[*}"
          done
          if [[ ${@[-1]} == '*::argument:->argument' ]]; then
            if (( $#typed )); then state=argument line=("$typed[@]"); shift typed; else state=command; fi
          fi
        }
        typeset -a typed; script=$1; shift; typed=("$@")
        source $script""", "zsh", share / ZSH, *words[:-1])
    assert done.returncode == 0 and not done.stderr, (line, done.stderr)
    offered = set(done.stdout.split())
    return {word for word in offered if word.startswith(words[-1]) and word.startswith("-") == words[-1].startswith("-")}


def completion_complaints(share, sections, shells):
    for path, args in sections.items():
        words = {other.split()[len(path.split())] for other in sections
                 if other != path and other.startswith(f"{path} ".lstrip()) or path == "" != other}
        line = f"kith {path}".strip()
        wanted = {name for name in {**args, **sections[""]} if name.startswith("-")} | {"--help"}
        for shell, offers in shells.items():
            if offers(share, f"{line} --") != wanted:
                yield f"{shell}, {line} --: {sorted(offers(share, f'{line} --') ^ wanted)}"
            if words and offers(share, f"{line} ") != words:
                yield f"{shell}, {line}: {sorted(offers(share, f'{line} ') ^ words)}"


def value_complaints(share, shells):
    """Options take their values along, files and directories are offered where they are taken."""
    for line, wanted in {
        "kith --home recovery rec": {"recover", "recovery"},
        "kith --home /tmp recovery he": {"heartbeat"},
        "kith recovery setup --trustees status --th": {"--threshold"},
        "kith recovery setup --threshold ": set(),
        "kith send Bob st": set(),
        f"kith run --config {ROOT}/LICEN": {f"{ROOT}/LICENSE"},
        f"kith did verify {ROOT}/LICEN": {f"{ROOT}/LICENSE"},
        f"kith --home {ROOT}/LICEN": set(),
        f"kith --home {ROOT}/crypt": {f"{ROOT}/crypto"},
    }.items():
        for shell, offers in shells.items():
            offered = {word.rstrip("/") for word in offers(share, line)}
            if offered != wanted:
                yield f"{shell}, {line}: {sorted(offered)}"


def spoiled(share, directory, path, old, new):
    """A copy of the papers with one fault."""
    copy = Path(directory) / "share"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(share, copy)
    text = (copy / path).read_text()
    assert old in text, (path, old)
    (copy / path).write_text(text.replace(old, new, 1))
    return copy


def main():
    share = Path(sys.argv[1]) / "papers" / "share"
    sections = help_sections()
    # A group without a section of its own has its commands'.
    sections.update({path.split()[0]: {} for path in list(sections) if " " in path})
    assert len(sections) > 60 and "--threshold" in sections["recovery setup"] and "--home" in sections[""], sections
    bash = {"bash": bash_offers}
    typing = {**bash, **({"fish": fish_offers} if shutil.which("fish") else {})}
    others = {shell: offers for shell, offers in {"fish": fish_offers, "zsh": zsh_offers}.items() if shutil.which(shell)}
    has_man = HAS_MAN or HAS_MANDOC
    checks = {
        "man": lambda tree: man_complaints(tree, sections) if has_man else (),
        "lint": lint_complaints,
        "syntax": syntax_complaints,
        "bash": lambda tree: completion_complaints(tree, sections, bash),
        "others": lambda tree: completion_complaints(tree, sections, others),
        "values": lambda tree: value_complaints(tree, typing),
    }
    faults = {
        "man": ("man/man1/kith-run.1", r"\-\-witness", r"\-\-watness") if has_man else None,
        "lint": ("man/man1/kith.1", ".SH NAME", ".SX NAME") if has_man else None,
        "syntax": (BASH, "esac", "easc"),
        "bash": (BASH, "--threshold", ""),
        "others": (ZSH, "--threshold", "--thrashold") if "zsh" in others else None,
        "values": (BASH, "takes=directory", "takes=''"),
    }
    failed = False
    for name, check in checks.items():
        with tempfile.TemporaryDirectory(prefix="kith-papers-") as directory:
            if faults[name] and not any(check(spoiled(share, directory, *faults[name]))):
                print(f"{name}: the test does not notice {faults[name]}")
                failed = True
        for complaint in check(share):
            print(f"{name}: {complaint}")
            failed = True
    missing = [tool for tool in ("man", "mandoc", "zsh", "fish") if not shutil.which(tool)]
    if missing:
        print("not there, so not asked:", ", ".join(missing))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
