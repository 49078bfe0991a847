#!/usr/bin/env python3
"""The pages tell the truth about the program, as far as a program can see that: every command and option
that they name is in docs/cli.md (which another test holds to `kith --help`), and nothing biometric is in
the code (docs/biometrics.md). First the test makes sure that it notices what it must."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

BIOMETRIC = re.compile(r"biometr|face.?id\b|touch.?id\b|\bretina|\biris\b|voice.?print|finger.?print.?template", re.I)
WORD_LIST = "slip39_words.cpp"  # Words of the standard, "iris" among them.
CODE = ("crypto", "protocol", "ledger", "recovery", "node", "sim")


class Commands:
    """What docs/cli.md lists."""

    def __init__(self, page):
        self.sections = dict(re.findall(r"^## `(kith(?: [a-z0-9-]+)*)`\n\n```\n(.*?)^```", page, re.M | re.S))
        self.everywhere = set(re.findall(r"--[a-z-]+", self.sections["kith"]))
        self.groups = {" ".join(name.split()[:count]) for name in self.sections for count in (1, 2)
                       if len(name.split()) > count}

    def wrong(self, line):
        """What is wrong with one command line that begins with `kith`; None if nothing is."""
        path, *rest = line.split()
        while rest and (f"{path} {rest[0]}" in self.sections or f"{path} {rest[0]}" in self.groups):
            path += " " + rest.pop(0)
        if rest and path in self.groups and re.fullmatch(r"[a-z][a-z0-9-]*", rest[0]):
            return f"`{path} {rest[0]}` is no command"
        known = self.everywhere | set(re.findall(r"--[a-z-]+", self.sections.get(path, "")))
        for option in re.findall(r"(?<!\S)\[?(--[a-z-]+)", " ".join(rest)):
            if option not in known and option != "--help":
                return f"`{path}` has no option {option}"
        return None


def command_lines(text):
    """Lines with `kith` at their beginning: in `..`, and in blocks of code, after a prompt too."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            match = re.match(r"^\s*(?:[\w-]*[$#>] ?)?(?:sudo (?:-u \w+ )?)?(kith(?: .*)?)$", line)
            if match and re.match(r"kith( [a-z-]|$)", match[1]):
                yield re.split(r"\s[|#>&]", match[1])[0]
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for span in re.findall(r"`(kith(?:\s[^`]*)?)`", outside):
        yield " ".join(span.split())


def wrong_commands(commands, text):
    return [fault for line in command_lines(text) if (fault := commands.wrong(line))]


def biometric_lines(text):
    return [line.strip() for line in text.splitlines() if BIOMETRIC.search(line)]


def unnoticed(commands):
    """Faults that the checks do not see, and truths that they take for faults."""
    cases = {
        "a command that is not there": ("`kith physician`", 1),
        "a part of a group that is not there": ("see `kith did\nfly` for it", 1),
        "a command in a block of code": ("```console\nalice$ kith ledger fly\n```\n", 1),
        "an option that is not there": ("`kith ping --twice Bob`", 1),
        "what is there": ("`kith`, `kith did`, `kith did rotate`, `kith accept URL`, `kith ping bob`\n"
                          "```sh\nsudo -u kith kith invite --client --name alice | cat\nkith: an error\n```\n", 0),
    }
    for what, (text, faults) in cases.items():
        if len(wrong_commands(commands, text)) != faults:
            yield what
    if len(biometric_lines("Bytes face_id;\nBytes envelope_fingerprint;\nbool is_biometric();\n")) != 2:
        yield "something biometric in the code"


def main():
    commands = Commands((ROOT / "docs" / "cli.md").read_text(encoding="utf-8"))
    found = [f"this test would not notice, or is wrong about, {what}" for what in unnoticed(commands)]
    pages = [page for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]) if page.name != "CHANGELOG.md"]
    named = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        named += len(list(command_lines(text)))
        found += [f"{page.relative_to(ROOT)}: {fault}" for fault in wrong_commands(commands, text)]
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.[ch]pp")):
            if file.name == WORD_LIST:
                continue
            found += [f"{file.relative_to(ROOT)}: something biometric: {line}"
                      for line in biometric_lines(file.read_text(encoding="utf-8"))]
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(pages)} pages name {named} commands, {len(found)} faults")
    return 1 if found or not named else 0


if __name__ == "__main__":
    sys.exit(main())
