#!/usr/bin/env python3
"""docs/cli.md must say what `kith --help` says: every command, argument and option, with its help.

    cli_docs_test.py KITH [--write]

`--write` writes the page anew. Without it the test first makes sure that it would notice a changed
option, then compares. Exit code 1 if the page has drifted.
"""

import difflib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "packaging"))
sys.dont_write_bytecode = True

from man_pages import EXIT_CODES  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"

INTRODUCTION = """# Command line

Every command takes `--home DIR` (default `$XDG_DATA_HOME/kith`, else `~/.local/share/kith`) and
`--json`: one JSON document on stdout, errors as `{"error":{"code","message","hint"}}` on stderr. The
codes are those of [`crypto/error_codes.def`](../crypto/error_codes.def).

| Exit code | Meaning |
|---|---|
{exit_codes}

Commands reach the running node of the home through its control socket. Without a running node they
hold the home themselves, until what they started has left, or for 30 seconds. Steps that need the
passphrase ask for it, or take `--passphrase-file`. Commands that cannot be taken back ask first, and
take `--yes` and `--dry-run`. Times are shown in local time; JSON has UTC.

For tests of crashes, `KITH_CRASH_AT=<site>:<nth>` in the environment makes the process kill itself
at the nth time it passes a site: `commit-before`, `commit-after` or `effect`.

This page is written by `tests/node/cli_docs_test.py --write`, and a test fails when it and `--help`
differ.
""".replace("{exit_codes}", "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()))


def help_of(kith, path):
    result = subprocess.run([kith, *path, "--help"], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        sys.exit(f"kith {' '.join(path)} --help: exit code {result.returncode}\n{result.stderr}")
    return result.stdout


def subcommands(text):
    if "Subcommands:" not in text:
        return []
    return re.findall(r"^  ([a-z][a-z0-9-]*)\s", text.split("Subcommands:")[1], re.M)


def commands(kith, path=()):
    text = help_of(kith, path)
    names = subcommands(text)
    if path and not names:
        yield path, text
    for name in names:
        yield from commands(kith, (*path, name))


def page_of(sections):
    out = [INTRODUCTION, help_section((), sections.pop(()))]
    out += [help_section(path, text) for path, text in sections.items()]
    return "\n".join(out)


def help_section(path, text):
    title = " ".join(("kith", *path))
    body = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"## `{title}`\n\n```\n{body}\n```\n"


def differences(page, wanted):
    return list(difflib.unified_diff(page.splitlines(), wanted.splitlines(), "docs/cli.md", "--help",
                                     lineterm=""))


def main():
    kith = sys.argv[1]
    sections = {(): help_of(kith, ())}
    sections.update(commands(kith))
    wanted = page_of(sections)
    if "--write" in sys.argv:
        PAGE.write_text(wanted)
        return 0
    for planted in (wanted.replace("--listen", "--liston"), wanted.replace("## `kith ping`", "## `kith pong`")):
        if planted == wanted or not differences(planted, wanted):
            print("the test does not notice a changed page")
            return 1
    found = differences(PAGE.read_text(), wanted)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
