#!/usr/bin/env python3
"""Identities on a ledger on a real chain: an operator makes the contract, people make, rotate and
resolve identities, accounts without money are named, and blocks are replaced.

Without anvil (npm, scripts/install-deps.sh test) the test is skipped by name: exit code 77.
"""

import os
import subprocess
import sys
import unittest

from evm_chain import Chain, anvil_program
from kith_process import Workbench, wait_for

BUILD = "build/dev"
ANVIL = None


class Base(unittest.TestCase):
    block_s = None

    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.chain = Chain(self.bench, ANVIL, self.block_s)


class ContractTest(Base):
    def test_the_contract_holds_on_a_real_chain(self):
        done = subprocess.run([self.bench.build / "tests" / "e2e" / "kith-evm-contract",
                               "--gtest_brief=1"], env={**os.environ, "KITH_EVM": self.chain.url("")},
                              capture_output=True, text=True, timeout=500, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-2000:])
        self.assertIn("PASSED", done.stdout)
        print(done.stdout.strip().splitlines()[-1], flush=True)


class PeopleTest(Base):
    block_s = 1

    def operator(self):
        """A home without an identity, and the ledger that it made."""
        node = self.bench.node("Operator")
        node.init("--no-identity")
        account = node.kith("ledger", "account")["account"]
        poor = node.refuses("ledger", "deploy", self.chain.url())
        self.assertEqual(poor.code, "ledger.no_funds")
        self.chain.fund(account)
        made = node.kith("ledger", "deploy", self.chain.url())
        self.assertEqual(made["account"], account)
        self.assertIn(made["contract"], made["ledger"])
        self.assertIn(f"from={made['block']}", made["ledger"])
        return made["ledger"]

    def resolve(self, node, did, *words):
        return node.kith("did", "resolve", did, "--wait", "40", *words, also=(1,))

    def test_people_make_rotate_and_resolve_identities(self):
        ledger = self.operator()
        alice = self.bench.node("Alice")
        first = alice.init("--ledger", ledger, "--wait", "5")
        # The first try names the account; when it has money, the node goes on by itself.
        account = alice.kith("ledger", "account")["account"]
        self.assertNotEqual(first["identity"]["state"], "posted")
        self.assertIn(account, first["identity"]["error"])
        self.chain.fund(account)
        alice.start()
        wait_for("the identity is posted",
                 lambda: alice.kith("ledger", "status")["state"] == "posted", 90)
        did = alice.kith("did", "show")["did"]
        alice.kith("did", "rotate", "--yes")
        wait_for("the new keys are posted", lambda: alice.kith("did", "rotate-status")["state"] ==
                 "posted" and alice.kith("ledger", "status")["state"] == "posted", 90)

        # Reading costs nothing, and an account without money is enough for it.
        bob = self.bench.node("Bob")
        bob.init("--no-identity")
        found = self.resolve(bob, did, "--ledger", ledger)
        self.assertEqual(found["state"], "done", found)
        self.assertEqual(found["didDocument"]["id"], did)
        self.assertTrue(found["didDocumentMetadata"]["versionId"].startswith("1-"))

        # Blocks above what is final are replaced, and nothing of it is lost.
        self.chain.ask("anvil_reorg", 2, [])
        again = self.resolve(bob, did, "--ledger", ledger)
        self.assertEqual(again["didDocumentMetadata"]["versionId"],
                         found["didDocumentMetadata"]["versionId"])

        status = alice.kith("ledger", "status")
        self.assertFalse(status["can_prove"])
        self.assertEqual(alice.refuses("ledger", "receipt").code, "ledger.no_proof")

    def test_addresses_that_are_none(self):
        bob = self.bench.node("Bob")
        for url, code in (("evm://127.0.0.1:1/31337", "input.url"),
                          ("evm://127.0.0.1:1/31337/0x12", "input.url"),
                          ("evm://me:word@127.0.0.1:1/1/0x" + 40 * "1", "input.url")):
            self.assertEqual(bob.refuses("init", "--name", "Bob", "--test", "--no-passphrase",
                                         "--ledger", url).code, code, url)
        empty = bob.init("--ledger", f"evm://127.0.0.1:{self.chain.port}/31337/0x" + 40 * "1",
                         "--wait", "5")
        self.assertIn("no contract of Kith", empty["identity"]["error"])
        other = self.bench.node("Carol").init(
            "--ledger", f"evm://127.0.0.1:{self.chain.port}/1/0x" + 40 * "1", "--wait", "5")
        self.assertIn("speaks of chain 31337", other["identity"]["error"])


if __name__ == "__main__":
    ANVIL = anvil_program("e2e/evm")
    BUILD = sys.argv.pop(1)
    unittest.main()
