#!/usr/bin/env python3
"""What a ledger on a chain costs in gas: making its contract, and posting entries of several lengths,
on a real chain of one process (anvil). Without anvil it is skipped by name: exit code 77.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from evm_chain import Chain, anvil_program  # noqa: E402
from kith_process import Workbench, wait_for  # noqa: E402

POST = "43a860f4"  # post(bytes32,bytes); a wrong one is reverted, and that is seen.
PLAIN_TRANSFER = 21_000
LENGTHS = (512, 1024, 2048, 4096, 16 * 1024)


def word(number):
    return f"{number:064x}"


def input_of(length):
    """Entries are text: no byte of them is zero."""
    data = ("7b" * length).ljust((length + 31) // 32 * 64, "0")
    return "0x" + POST + "11" * 32 + word(64) + word(length) + data


def sent(chain, transaction):
    """The receipt. The chain's first account is unlocked and rich."""
    sender = chain.ask("eth_accounts")[0]
    name = chain.ask("eth_sendTransaction", {"from": sender, "gas": hex(5_000_000), **transaction})
    receipt = wait_for("the receipt", lambda: chain.ask("eth_getTransactionReceipt", name))
    assert receipt["status"] == "0x1", receipt
    return receipt


def main(build):
    code = json.loads((ROOT / "ledger" / "evm" / "contract.json").read_text())["creation"]
    with Workbench(build) as bench:
        chain = Chain(bench, anvil_program("bench/evm_gas"))
        made = sent(chain, {"data": "0x" + code})
        print("| what | gas | times a plain transfer |\n|---|---|---|")

        def row(what, receipt):
            gas = int(receipt["gasUsed"], 16)
            print(f"| {what} | {gas:,} | {gas / PLAIN_TRANSFER:.1f} |")
            return gas
        row("the contract", made)
        last = 0
        for length in LENGTHS:
            posted = sent(chain, {"to": made["contractAddress"], "data": input_of(length)})
            assert len(posted["logs"]) == 1, posted
            gas = row(f"an entry of {length:,} bytes", posted)
            assert gas > last, "a longer entry costs no more?"
            last = gas


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "build/dev")
