#!/usr/bin/env python3
"""A ledger host whose operator puts an old copy of the ledger back, and then lets it grow again: its
readers notice, take nothing over, and hold evidence that anybody can check. Before that, receipts
and proofs of an honest host.
"""

import json
import shutil
import sys
import unittest
import urllib.error
import urllib.request

from kith_process import Workbench, run_kith

BUILD = "build/dev"


class LedgerTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.host = self.bench.mediator()
        self.alice = self.person("Alice")

    def person(self, name):
        node = self.bench.node(name)
        node.init("--mediator", self.host.url, "--ledger", self.host.url)
        return node

    def get(self, path):
        with urllib.request.urlopen(self.host.url + path, timeout=10) as reply:
            return reply.headers["Content-Type"], reply.read().decode()

    def resolve(self, node):
        did = node.kith("did", "show")["did"]
        return node.kith("did", "resolve", did, "--wait", "20", also=(1,))

    def checkpoint(self, node):
        return node.kith("ledger", "status")["checkpoint"]

    def verify(self, text, code=0, *words):
        path = self.bench.directory / "file"
        path.write_text(text)
        got, out, err = run_kith(self.bench.kith, ["ledger", "verify", path, "--json", *words])
        self.assertEqual(got, code, out + err)
        return json.loads(out if code == 0 else err)

    def with_old_ledger(self, change):
        """Stops the host, changes its files, and starts it again."""
        self.host.stop()
        change(self.host.home / "ledger", self.bench.directory / "copy")
        self.host.start()

    def keep_copy(self):
        self.with_old_ledger(lambda ledger, copy: shutil.copytree(ledger, copy))

    def put_copy_back(self):
        def change(ledger, copy):
            shutil.rmtree(ledger)
            shutil.copytree(copy, ledger)
        self.with_old_ledger(change)

    def test_what_the_host_says_is_proven(self):
        self.assertEqual(self.resolve(self.alice)["state"], "done")
        seen = self.checkpoint(self.alice)
        kind, note = self.get("ledger/checkpoint")
        self.assertEqual(kind, "text/plain; charset=utf-8")
        self.assertEqual(note.split("\n")[:3], [seen["origin"], str(seen["size"]), seen["root"]])
        self.assertEqual(seen["size"], 2)
        proof = json.loads(self.get("ledger/proof/inclusion?position=1")[1])
        self.assertEqual(len(proof["proof"]), 1)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("ledger/proof/inclusion?position=2")
        with refused.exception as error:
            self.assertEqual(error.code, 404)
            self.assertEqual(json.load(error)["error"]["code"], "not_found")

        receipt = self.alice.kith("ledger", "receipt")
        judged = self.verify(json.dumps(receipt))
        self.assertEqual(judged["log"], self.alice.kith("did", "show")["did"])
        bare = receipt["receipt"]
        descriptor = self.bench.directory / "descriptor"
        descriptor.write_text(self.get("ledger/descriptor")[1])
        self.assertEqual(self.verify(bare, 0, "--descriptor", descriptor), judged)
        moved = dict(receipt, receipt=bare.replace(f"index {judged['position']}", "index 7"))
        self.assertEqual(self.verify(json.dumps(moved), 6)["error"]["code"], "crypto.proof")

    def test_a_ledger_that_an_old_copy_was_put_back_for_is_accused(self):
        self.keep_copy()
        self.person("Bob")
        self.assertEqual(self.resolve(self.alice)["state"], "done")
        before = self.checkpoint(self.alice)
        self.assertEqual(before["size"], 4)
        self.assertNotIn("evidence", self.alice.kith("ledger", "status"))

        self.put_copy_back()
        failed = self.resolve(self.alice)
        self.assertEqual(failed["state"], "failed")
        self.assertIn("went back", failed["didResolutionMetadata"]["message"])
        status = self.alice.kith("ledger", "status")
        self.assertEqual(status["checkpoint"], before)
        self.assertEqual([piece["kind"] for piece in status["evidence"]], ["rollback"])

        # Carol makes the ledger as long as it was, with other entries.
        self.person("Carol")
        self.assertEqual(self.resolve(self.alice)["state"], "failed")
        self.assertEqual(self.checkpoint(self.alice), before)
        pieces = {piece["kind"]: piece for piece in self.alice.kith("ledger", "status")["evidence"]}
        self.assertTrue(pieces["fork"]["proven"])
        file = self.alice.kith("ledger", "evidence", pieces["fork"]["id"])
        judged = self.verify(json.dumps(file))
        self.assertTrue(judged["proven"])
        self.assertEqual(judged["first"]["size"], judged["second"]["size"])
        same = dict(file, second=file["first"])
        self.assertEqual(self.verify(json.dumps(same), 6)["error"]["code"], "crypto.proof")
        forged = dict(file, first=file["first"].replace("\n4\n", "\n5\n", 1))
        self.assertEqual(self.verify(json.dumps(forged), 6)["error"]["code"], "crypto.signature")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
