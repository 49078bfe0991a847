#!/usr/bin/env python3
"""An identity that moves from one ledger host to another: everybody finds it from either, it goes on
there, and the first host may end. On the way the mover is killed, and either host is down.
"""

import json
import sys
import unittest

from acts import mail_ready
from kith_process import Workbench, run_kith, wait_for

BUILD = "build/dev"


class LedgerMoveTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.old = self.bench.mediator("Old")
        self.new = self.bench.mediator("New")
        self.alice = self.person("Alice")
        self.did = self.alice.kith("did", "show")["did"]

    def person(self, name):
        node = self.bench.node(name)
        node.init("--mediator", self.old.url, "--ledger", self.old.url)
        return node

    def move(self, *words):
        return self.alice.kith("ledger", "move", self.new.url, "--yes", *words)

    def status(self):
        return self.alice.kith("ledger", "status")

    def is_at(self, ledger):
        status = self.status()
        return status["ledger"] == ledger.url and status["state"] == "posted"

    def resolve(self, node, ledger):
        return node.kith("did", "resolve", self.did, "--ledger", ledger.url, "--wait", "20",
                         also=(1,))

    def version(self, node, ledger):
        found = self.resolve(node, ledger)
        self.assertEqual(found["state"], "done", found)
        return int(found["didDocumentMetadata"]["versionId"].split("-")[0])

    def test_everybody_finds_it_from_either_host_and_it_goes_on(self):
        bob = self.person("Bob")
        self.assertEqual(self.version(bob, self.old), 0)
        shown = self.move()
        self.assertEqual(shown["ledger"], self.new.url)
        wait_for("the new ledger to show it", lambda: self.is_at(self.new))
        self.assertNotIn("move", self.status())
        carol = self.person("Carol")
        for node in (bob, carol):
            for ledger in (self.old, self.new):
                self.assertEqual(self.version(node, ledger), 2)
        services = self.alice.kith("did", "show")["document"]["service"]
        told = {service["serviceEndpoint"]["uri"] for service in services
                if service["type"] == "KithLedger"}
        self.assertEqual(told, {self.old.url, self.new.url})

        # What comes later is on the new one alone, and read from either.
        self.alice.kith("did", "rotate", "--yes")
        wait_for("the new keys to be posted",
                 lambda: self.alice.kith("did", "rotate-status")["state"] == "posted")
        wait_for("the new ledger to show them", lambda: self.is_at(self.new))
        for node in (bob, carol):
            self.assertEqual(self.version(node, self.old), 3)
        # The file that anybody checks says where each entry comes from.
        path = self.bench.directory / "log"
        path.write_text(json.dumps(self.alice.kith("did", "export")))
        code, out, err = run_kith(self.bench.kith, ["did", "verify", "--test", path, "--json"])
        self.assertEqual(code, 0, err)
        self.assertEqual((json.loads(out)["entries"], json.loads(out)["junk"]), (4, 0))

        # The old host ends. Who had looked remembers the way; who had not is told what is missing.
        self.old.stop()
        self.assertEqual(self.version(bob, self.new), 3)
        dave = self.bench.node("Dave")
        dave.init("--mediator", self.new.url, "--ledger", self.new.url)
        found = self.resolve(dave, self.new)
        self.assertTrue(found["didDocumentMetadata"]["kith"]["unconfirmedMove"])

    def test_it_finishes_after_a_kill_and_with_hosts_that_come_and_go(self):
        self.alice.start()
        mail_ready(self.alice)
        self.new.stop()
        waiting = self.move("--wait", "1")
        self.assertEqual(waiting["move"]["state"], "descriptor")
        again = self.alice.refuses("ledger", "move", self.new.url, "--yes")
        self.assertEqual(again.code, "state.wrong")
        self.alice.kill()
        self.alice.start()
        self.assertEqual(self.status()["move"]["ledger"], self.new.url)
        self.assertEqual(self.alice.kith("ledger", "cancel-move")["state"], "none")
        self.assertNotIn("move", self.status())
        self.new.start()
        self.old.stop()
        self.move("--wait", "1")
        wait_for("the copies to be there", lambda: self.status()["move"]["state"] == "leaving")
        self.assertEqual(self.alice.refuses("ledger", "cancel-move").code, "state.wrong")
        self.alice.kill()
        self.old.start()
        self.alice.start()
        wait_for("the move to end", lambda: self.is_at(self.new))
        self.assertEqual(self.version(self.person("Bob"), self.old), 2)

    def test_what_cannot_be_is_said(self):
        def refused(address):
            return self.alice.refuses("ledger", "move", address, "--yes")
        self.assertIn("already", refused(self.old.url).message)
        self.assertIn("already", refused(self.old.url.replace("127.0.0.1", "localhost")).message)
        self.assertIn("address", refused("gopher://x").message)
        self.assertTrue(self.is_at(self.old))
        self.assertEqual(self.version(self.alice, self.old), 0)
        self.move()
        wait_for("the new ledger to show it", lambda: self.is_at(self.new))
        self.assertIn("before", refused(self.old.url).message)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
