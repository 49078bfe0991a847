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

from acts import mail_ready
from kith_process import Workbench, run_kith, wait_for

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
        with urllib.request.urlopen(self.host.url + "ledger/tile/0/000.p/2", timeout=10) as reply:
            self.assertEqual(len(reply.read()), 2 * 32)
            self.assertIn("immutable", reply.headers["Cache-Control"])
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

    def run_tool(self, text, code, *words):
        path = self.bench.directory / "file"
        path.write_text(text)
        got, out, err = run_kith(self.bench.kith, [*words, path, "--json"])
        self.assertEqual(got, code, out + err)
        return json.loads(out or err)

    def test_a_log_is_read_from_a_file_as_at_the_ledger(self):
        did = self.alice.kith("did", "show")["did"]
        resolved = self.alice.kith("did", "resolve", did, "--resolution", "--wait", "20")
        self.assertEqual(sorted(resolved), ["@context", "didDocument", "didDocumentMetadata",
                                            "didResolutionMetadata"])
        self.assertEqual(resolved["didResolutionMetadata"], {"contentType": "application/did+json"})
        linked = self.alice.kith("did", "resolve", did, "--resolution", "--json-ld", "--wait", "20")
        self.assertEqual(linked["didResolutionMetadata"], {"contentType": "application/did+ld+json"})

        file = self.alice.kith("did", "export")
        tool = ("did", "verify", "--test")
        judged = self.run_tool(json.dumps(file), 0, *tool)
        for member in ("didDocument", "didDocumentMetadata"):
            self.assertEqual(judged[member], resolved[member])
        self.assertEqual(judged["status"], "normal")
        # Not a log yet at that time; and made for tests, which readers have to want.
        early = self.run_tool(json.dumps(file), 1, *tool, "--time", "2020-01-01T00:00:00Z")
        self.assertEqual(early["error"]["code"], "not_found")
        unread = self.run_tool(json.dumps(file), 2, *tool, "--time", "yesterday")
        self.assertEqual(unread["error"]["code"], "usage")
        refused = self.run_tool(json.dumps(file), 3, "did", "verify")
        self.assertIn("error", refused)
        other = dict(file, subject=did[:-1] + ("1" if did[-1] != "1" else "2"))
        self.assertEqual(self.run_tool(json.dumps(other), 1, *tool)["error"]["code"], "not_found")
        policy = self.alice.kith("did", "export", "--policy")
        self.assertEqual(len(self.run_tool(json.dumps(policy), 0, *tool)["policy"]["agents"]), 1)

    def test_contacts_share_nothing_by_which_they_could_be_linked(self):
        people = [self.alice, self.person("Bob"), self.person("Carol")]
        for person in people:
            person.start()
            mail_ready(person)
        for other in people[1:]:
            self.alice.connect(other)
        report = self.alice.kith("did", "lint")
        self.assertTrue(report["ok"])
        # The mediator's invitation, the public DID, and two friends.
        self.assertEqual(report["checked"], 4)
        self.assertTrue(all(shared["what"] == "address" for shared in report["shared"]))
        documents = [self.alice.kith("did", "show")["document"]] * 2
        self.assertFalse(self.run_tool(json.dumps(documents), 3, "did", "lint")["ok"])

    def start_copy(self):
        copy = self.bench.node("Replica", passphrase=None)
        copy.init("--no-identity")
        copy.start("--listen", "127.0.0.1:0", "--replica-of", self.host.url)
        copy.url = f"http://127.0.0.1:{copy.ready['port']}/"
        copy._run_words[1] = f"127.0.0.1:{copy.ready['port']}"
        self.wait_for_copy(copy, 2)
        return copy

    def replica(self, copy):
        return copy.kith("ledger", "status")["replica"]

    def wait_for_copy(self, copy, size):
        wait_for("the copy", lambda: self.replica(copy).get("shown") == size)

    def test_a_copy_outlives_the_ledger(self):
        copy = self.start_copy()
        note = self.get("ledger/checkpoint")
        did = self.alice.kith("did", "show")["did"]
        document = self.resolve(self.alice)["didDocument"]
        port = self.host.ready["port"]
        self.host.kill()
        shutil.rmtree(self.host.home)

        # Somebody who never saw the ledger itself; before and after a restart of the copy.
        bob = self.bench.node("Bob", passphrase=None)
        bob.init("--no-identity")
        for _ in range(2):
            read = bob.kith("did", "resolve", did, "--ledger", copy.url, "--wait", "20")
            self.assertEqual(read["didDocument"], document)
            copy.stop()
            copy.start()
        wait_for("the error", lambda: "error" in self.replica(copy))
        self.assertEqual(self.replica(copy)["shown"], 2)
        self.assertEqual(bob.kith("ledger", "status")["others"][0]["checkpoint"]["size"], 2)
        # It takes nothing, and says who did.
        log = urllib.request.Request(copy.url + "ledger/log/" + did, data=b"{}", method="POST")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(log, timeout=10)
        with refused.exception as error:
            self.assertEqual(error.code, 403)
            self.assertIn(self.host.url.rstrip("/"), json.load(error)["error"]["message"])

        # The ledger's address leads to the copy: who knows the ledger reads on.
        copy.stop()
        copy._run_words[1] = f"127.0.0.1:{port}"
        copy.start()
        self.assertEqual(self.get("ledger/checkpoint"), note)
        self.assertEqual(self.resolve(self.alice)["state"], "done")
        self.assertNotIn("evidence", self.alice.kith("ledger", "status"))

    def test_a_copy_keeps_evidence_against_its_ledger(self):
        copy = self.start_copy()
        self.keep_copy()
        self.person("Bob")
        self.wait_for_copy(copy, 4)
        self.put_copy_back()
        wait_for("evidence", lambda: copy.kith("ledger", "status").get("others"))
        piece = copy.kith("ledger", "status")["others"][0]["evidence"][0]
        self.assertEqual(piece["kind"], "rollback")
        file = copy.kith("ledger", "evidence", piece["id"])
        self.assertEqual(self.verify(json.dumps(file))["first"]["size"], 4)
        self.assertEqual(self.replica(copy)["shown"], 4)
        alarms = [notice for notice in copy.kith("status")["notices"] if notice["kind"] == "alarm"]
        self.assertEqual(len(alarms), 1)

    def test_a_status_without_an_identity_says_what_there_is(self):
        bob = self.bench.node("Bob", passphrase=None)
        bob.init("--no-identity")
        status = bob.kith("ledger", "status")
        self.assertEqual(status["state"], "none")
        self.assertIn("kith ledger serve", status["next"][0])
        did = self.alice.kith("did", "show")["did"]
        bob.kith("did", "resolve", did, "--ledger", self.host.url, "--wait", "20")
        others = bob.kith("ledger", "status")["others"]
        self.assertEqual([(ledger["address"], ledger["checkpoint"]["size"]) for ledger in others],
                         [(self.host.url.rstrip("/"), 2)])
        host = self.host.kith("ledger", "status")
        self.assertTrue(host["host"]["served"])
        self.assertEqual(host["next"], [])

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
