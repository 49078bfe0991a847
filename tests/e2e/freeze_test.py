#!/usr/bin/env python3
"""A real node is frozen: what stops, what goes on, across a restart and a kill; an incident is noted; the
audit log goes out as a file that others check, and holds nothing that a person typed.

    freeze_test.py BUILD
"""

import json
import subprocess
import sys
import unittest

from acts import identity_posted
from kith_process import PASSPHRASE, Workbench

REFUSED = 3
VERIFICATION_FAILED = 6
WRONG_STATE = 7
BUILD = "build/dev"
REASON = "the grey bag is gone since noon"
NOTE = "somebody in a green coat"


class FreezeTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.alice = self.bench.node("Alice")
        self.alice.init("--wait", "0")
        self.alice.start()
        identity_posted(self.alice)

    def export(self, *words):
        """The lines of an exported file, and the file."""
        line = self.alice.words("audit", "export", *words)
        done = subprocess.run([str(self.bench.kith), *line], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, check=True)
        file = self.bench.directory / "audit.jsonl"
        file.write_text(done.stdout)
        return done.stdout.splitlines(), file

    def refused(self, *words):
        refusal = self.alice.refuses(*words)
        self.assertEqual(refusal.exit_code, REFUSED, refusal)
        self.assertIn("kith thaw", refusal.message)

    def test_a_frozen_node_stays_frozen_until_its_passphrase(self):
        alice = self.alice
        self.assertTrue(alice.kith("freeze", "--reason", REASON)["frozen"])
        for end in (None, alice.stop, alice.kill):
            if end is not None:
                end()
                alice.start()
            status = alice.kith("status")
            self.assertEqual(status["frozen"]["reason"], REASON)
            self.assertIn("kith thaw", status["next"][0])
            self.refused("did", "rotate", "--yes")
            self.refused("policy", "propose", "--rule", "admin=1", "--yes")
            alice.kith("did", "show")
        alice.stop()
        self.refused("did", "rotate", "--yes")  # Without a running node too.
        self.refused("ledger", "deploy", "evm://127.0.0.1:1/1")
        alice.start()
        incident = alice.kith("incident", "open", "stolen-device", "--note", NOTE)
        self.assertGreater(len(incident["steps"]), 2)
        wrong = alice.refuses("thaw", passphrase=False)
        self.assertNotEqual(wrong.exit_code, 0)
        self.assertFalse(alice.kith("thaw")["frozen"])
        self.assertEqual(alice.refuses("thaw").exit_code, WRONG_STATE)
        alice.kith("did", "rotate", "--yes")
        self.assertEqual(alice.kith("incident", "close", incident["id"], "--yes")["state"], "closed")

        # Nothing of it is in the audit log but that it happened.
        lines, file = self.export()
        events = [json.loads(line)["event"] for line in lines[:-1]]
        for event in ("freeze.begun", "freeze.command-refused", "freeze.ended", "incident.opened"):
            self.assertIn(event, events)
        for secret in (REASON, NOTE, PASSPHRASE):
            self.assertNotIn(secret, file.read_text())
        judged = alice.kith("audit", "verify", file)
        self.assertEqual(judged["entries"], len(lines) - 1)
        alice.kith("audit", "verify", "--checkpoint", file)

        tampered = self.bench.directory / "tampered.jsonl"
        tampered.write_text("\n".join(lines[:3] + lines[4:]) + "\n")
        self.assertEqual(alice.refuses("audit", "verify", tampered).exit_code, VERIFICATION_FAILED)
        csv, _ = self.export("--format", "csv", "--since", "2001-01-01T00:00:00Z")
        self.assertEqual(csv[0], "n,utc,event,details,hash")
        self.assertEqual(alice.refuses("audit", "export", "--format", "xml").exit_code, 2)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = sys.argv.pop(1)
    unittest.main()
