#!/usr/bin/env python3
"""Writes what is installed beside the programs and says which commands there are: manual pages, and
completion for bash, zsh and fish.

    papers.py TABLE SHARE

TABLE is what `kith-table` prints (node/cli/table_main.cpp), SHARE becomes .../share of the prefix. The
build runs this; nothing here is edited by hand or kept in the tree.
"""

import json
import sys
from pathlib import Path

from completion import bash, fish, zsh
from man_pages import man_pages


def papers(table):
    """{path below share: text}"""
    out = {f"man/man1/{name}": text for name, text in man_pages(table).items()}
    out["bash-completion/completions/kith"] = bash(table)
    out["zsh/vendor-completions/_kith"] = zsh(table)
    out["fish/vendor_completions.d/kith.fish"] = fish(table)
    return out


def main():
    table = json.loads(Path(sys.argv[1]).read_text())
    share = Path(sys.argv[2])
    wanted = papers(table)
    for path in [path for path in share.rglob("*") if path.is_file()]:
        if str(path.relative_to(share)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
