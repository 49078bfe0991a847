#!/usr/bin/env python3
"""The end of an audit log on a ledger: put there, continued, missed when an older copy of the home
was put back, and made up for by a ledger that was away.
"""

import shutil
import sys
import unittest

from kith_process import Workbench, wait_for

BUILD = "build/dev"


class AuditAnchorTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)

    def anchored(self, node):
        made = node.kith("audit", "anchor")
        self.assertTrue(made["posted"])
        verified = node.kith("audit", "verify")
        self.assertTrue(verified["ledger_asked"])
        anchor = verified["anchor"]
        self.assertEqual((anchor["state"], anchor["posted"], anchor["head"]),
                         ("continued", True, made["head"]))
        self.assertEqual(anchor["entry"] + 1, made["entries"])
        return made

    def test_on_the_homes_own_ledger(self):
        lonely = self.bench.node("Lonely")
        lonely.init()
        self.assertEqual(lonely.kith("audit", "verify")["anchor"], {"state": "none"})
        first = self.anchored(lonely)
        second = self.anchored(lonely)
        self.assertEqual(second["n"], first["n"] + 1)
        self.assertNotEqual(second["head"], first["head"])
        document = lonely.kith("did", "show")["document"]
        self.assertEqual([one["head"] for one in document["kithAudit"]], [second["head"]])

    def test_on_a_host(self):
        host = self.bench.mediator()
        alice = self.bench.node("Alice")
        alice.init("--mediator", host.url, "--ledger", host.url)
        copy = self.bench.directory / "copy"
        shutil.copytree(alice.home, copy)
        made = self.anchored(alice)
        self.assertEqual(made["receipt"]["v"], "kith-ledger-receipt/1")
        self.assertEqual(made["ledger"], host.url)
        self.assertEqual(made["checkpoint"]["size"], made["position"] + 1)

        # Without its ledger an anchor waits, and the log is compared with what is known here.
        host.stop()
        waits = alice.kith("audit", "anchor", "--wait", "1")
        self.assertFalse(waits["posted"])
        known = alice.kith("audit", "verify", "--wait", "1")
        self.assertFalse(known["ledger_asked"])
        self.assertEqual(known["anchor"]["state"], "continued")
        host.start()
        wait_for("the anchor is on the ledger",
                 lambda: alice.kith("audit", "verify", "--wait", "5")["anchor"]["posted"])

        # A copy from before the anchors is whole, but the ledger knows better.
        shutil.rmtree(alice.home)
        shutil.copytree(copy, alice.home)
        self.assertEqual(alice.kith("audit", "verify", "--wait", "0")["anchor"]["state"], "none")
        refusal = alice.refuses("audit", "verify")
        self.assertEqual((refusal.code, refusal.exit_code), ("audit.broken", 6))
        self.assertIn("older copy", refusal.message)

    def test_without_an_identity(self):
        relay = self.bench.node("Relay", passphrase=None)
        relay.init("--no-identity")
        refusal = relay.refuses("audit", "anchor")
        self.assertEqual((refusal.code, refusal.exit_code), ("state.wrong", 7))
        self.assertNotIn("anchor", relay.kith("audit", "verify"))


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
