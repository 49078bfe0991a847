#!/usr/bin/env python3
"""The checked-in bytecode and ABI of the contract (ledger/evm/contract.json) are what the compiler
makes of ledger/evm/KithLog.sol. `--write` writes them anew.

What this test must notice is planted in copies: another event, another setting, and one changed byte
of the file, each a difference. That the program uses the same bytes is tested in tests/ledger.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import HERE, needed

TEST = "interop/evm_contract"
FOLDER = HERE.parent.parent / "ledger" / "evm"
SOURCE, MADE = FOLDER / "KithLog.sol", FOLDER / "contract.json"
COMPILING_S = 120


def compiled(node, packages, source, *settings):
    done = subprocess.run([node, str(HERE / "evm_contract.mjs"), str(source), *settings],
                          env={**os.environ, "KITH_INTEROP_PACKAGES": str(packages)},
                          capture_output=True, text=True, timeout=COMPILING_S, check=False)
    if done.returncode != 0:
        raise AssertionError(f"the compiler failed: {done.stderr}")
    return json.loads(done.stdout)


def differences(made, held):
    return sorted(name for name in set(made) | set(held) if made.get(name) != held.get(name))


def main():
    node, packages = needed(TEST, "evm")
    made = compiled(node, packages, SOURCE)
    if "--write" in sys.argv:
        MADE.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    held = json.loads(MADE.read_text(encoding="utf-8"))
    assert differences(made, held) == [], f"contract.json differs in {differences(made, held)}"

    with tempfile.TemporaryDirectory(prefix="kith-contract-") as directory:
        other = Path(directory) / "KithLog.sol"
        other.write_text(SOURCE.read_text(encoding="utf-8").replace("Posted", "Sent"),
                         encoding="utf-8")
        assert differences(compiled(node, packages, other), held) == ["abi", "creation", "runtime"]
    later = compiled(node, packages, SOURCE, "evmVersion=shanghai")
    assert differences(later, held) == ["creation", "runtime"]
    damaged = dict(held, runtime=held["runtime"][:-1] + ("0" if held["runtime"][-1] != "0" else "1"))
    assert differences(made, damaged) == ["runtime"]
    # The creation code ends in the code that stays.
    assert held["creation"].endswith(held["runtime"])
    print(f"{TEST}: {len(held['runtime']) // 2} bytes, as {held['compiler']} makes them")


if __name__ == "__main__":
    main()
