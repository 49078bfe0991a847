#!/usr/bin/env python3
"""Every relative link of the pages at the root and in docs/ leads to a file, and every #anchor to a
heading of it. First the test makes sure that it sees a dead link and a dead anchor."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def without_code(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text):
    """Anchors as forges make them from headings: lower case, punctuation dropped, spaces to dashes."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page, text):
    """The relative links of `text`, lying at the path `page`, that lead nowhere."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if name and not file.exists():
            yield target
        elif anchor and file.suffix == ".md":
            there = text if file == page else file.read_text(encoding="utf-8")
            if anchor not in anchors(there):
                yield target


def main():
    sample = "# One `two`, three\n[a](nowhere.md) [b](#no-such) [c](#one-two-three) `[d](no.md)` [e](https://x.y)\n"
    if list(dead_links(ROOT / "docs" / "sample.md", sample)) != ["nowhere.md", "#no-such"]:
        print("this test does not tell dead links from live ones")
        return 1
    pages = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    dead = [f"{page.relative_to(ROOT)}: {target} leads nowhere"
            for page in pages for target in dead_links(page, page.read_text(encoding="utf-8"))]
    print(*dead, sep="\n", end="\n" if dead else "")
    print(f"{len(pages)} pages, {len(dead)} dead links")
    return 1 if dead or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
