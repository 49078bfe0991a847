#!/usr/bin/env python3
"""A ledger host with three witnesses, of whom two must sign; every one of them a process of its own.
One may die and nothing changes; with two dead an append says so and comes through when one is back.
A host that puts an old copy of its ledger back finds nobody who signs it. A witness that is killed
between keeping its state and answering goes on from what it kept.

What witnesses say is read by another program, too (tests/interop/cosignature.mjs), where Node.js is
there.
"""

import base64
import json
import shutil
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from kith_process import Workbench, run_kith, wait_for

BUILD = "build/dev"
READER = Path(__file__).resolve().parent.parent / "interop" / "cosignature.mjs"


class WitnessTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.witnesses = [self.witness(f"Witness{i}") for i in range(3)]
        self.host = self.bench.node("Host", passphrase=None)
        self.host.init("--no-identity")
        lines = [f'"{w.shown["key"]} {w.shown["address"]}"' for w in self.witnesses]
        self.config = self.host.home / "kith.toml"
        self.config.write_text(f"[ledger]\nwitnesses = [{', '.join(lines)}]\n")
        self.start(self.host, "--ledger-serve")
        self.descriptor = self.bench.directory / "descriptor"
        self.descriptor.write_text(self.get("ledger/descriptor"))

    def start(self, node, *words):
        node.start("--listen", "127.0.0.1:0", *words)
        node.url = f"http://127.0.0.1:{node.ready['port']}/"
        node._run_words[1] = f"127.0.0.1:{node.ready['port']}"

    def witness(self, name):
        node = self.bench.node(name, passphrase=None)
        node.init("--no-identity")
        self.start(node, "--witness")
        node.shown = node.kith("ledger", "witness")
        self.assertEqual(node.shown["address"], node.ready["witness"])
        return node

    def watch(self):
        for witness in self.witnesses:
            witness.kith("ledger", "witness", "--add", self.descriptor)
        wait_for("the empty ledger is witnessed", lambda: "witnessed" in self.status())

    def get(self, path):
        with urllib.request.urlopen(self.host.url + path, timeout=10) as reply:
            return reply.read().decode()

    def status(self):
        return self.host.kith("ledger", "status")["host"]["witnesses"]

    def person(self, name, wait=True):
        node = self.bench.node(name)
        node.init("--ledger", self.host.url, *([] if wait else ["--wait", "0"]))
        return node

    def posted(self, node):
        return node.kith("ledger", "status")["state"] == "posted"

    def verify(self, text, code=0):
        path = self.bench.directory / "file"
        path.write_text(text)
        got, out, err = run_kith(self.bench.kith, ["ledger", "verify", path, "--json"])
        self.assertEqual(got, code, out + err)
        return json.loads(out if code == 0 else err)

    def test_two_of_three_are_enough_and_one_is_not(self):
        # Nobody watches yet: the host says who is missing, and what to do.
        self.assertEqual(self.status()["needed"], 2)
        errors = wait_for("all have refused", lambda: [
            w["error"] for w in self.status()["witnesses"] if "error" in w][2:] and
            [w["error"] for w in self.status()["witnesses"]])
        self.assertIn("kith ledger witness --add", errors[0])
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("ledger/checkpoint")
        with refused.exception as error:
            self.assertEqual(error.code, 503)
            self.assertEqual(json.load(error)["error"]["code"], "ledger.not_witnessed")
        self.watch()

        alice = self.person("Alice")
        self.assertTrue(self.posted(alice))
        seen = alice.kith("ledger", "status")["checkpoint"]["witnesses"]
        self.assertEqual((seen["needed"], seen["known"]), (2, 3))
        self.assertGreaterEqual(len(seen["cosignatures"]), 2)
        self.read_by_another_program(self.get("ledger/checkpoint"))
        receipt = alice.kith("ledger", "receipt")
        judged = self.verify(json.dumps(receipt))
        self.assertIn("anchored", judged)
        self.assertGreaterEqual(len(judged["witnesses"]["cosignatures"]), 2)
        lines = receipt["receipt"].rstrip("\n").split("\n")
        signed = [line for line in lines if line.startswith("\u2014 ")]
        one = [line for line in lines if line not in signed[2:]]
        error = self.verify(json.dumps(dict(receipt, receipt="\n".join(one) + "\n")), 6)["error"]
        self.assertEqual(error["code"], "ledger.unproven")
        self.assertIn("1 of 3 witnesses has signed it, and 2 are needed", error["message"])

        # One is dead: nothing changes.
        self.witnesses[0].kill()
        self.assertTrue(self.posted(self.person("Bob")))
        wait_for("the host names the dead one",
                 lambda: "error" in self.status()["witnesses"][0])

        # Two are dead: an append says so; it is kept and comes through when one is back.
        self.witnesses[1].kill()
        size = self.status()["size"]
        carol = self.person("Carol", wait=False)
        carol.start()
        told = wait_for("Carol hears who is missing",
                        lambda: carol.kith("ledger", "status").get("error"))
        self.assertIn("Too few of the ledger's witnesses", told)
        self.assertFalse(self.posted(carol))
        self.assertGreater(self.status()["size"], size)
        self.assertEqual(self.status()["witnessed"]["size"], size)
        # What was witnessed before is still proven.
        did = alice.kith("did", "show")["did"]
        self.assertEqual(alice.kith("did", "resolve", did, "--wait", "20")["state"], "done")

        self.witnesses[1].start()
        wait_for("Carol's identity is posted", lambda: self.posted(carol), 60)
        self.assertEqual(self.status()["witnessed"]["size"], self.status()["size"])
        shown = self.witnesses[1].kith("ledger", "witness")["ledgers"][0]
        self.assertEqual(shown["size"], self.status()["size"])

    def test_an_old_copy_of_the_ledger_is_not_signed(self):
        self.watch()
        alice = self.person("Alice")
        copy = self.bench.directory / "copy"
        self.host.stop()
        shutil.copytree(self.host.home / "ledger", copy)
        self.host.start()
        self.person("Bob")
        before = alice.kith("ledger", "status")["checkpoint"]["size"]
        self.host.stop()
        shutil.rmtree(self.host.home / "ledger")
        shutil.copytree(copy, self.host.home / "ledger")
        self.host.start()
        carol = self.person("Carol", wait=False)
        carol.start()
        wait_for("the witnesses say what they have seen", lambda: sum(
            "old copy" in w.get("error", "") or "another history" in w.get("error", "")
            for w in self.status()["witnesses"]) == 3)
        wait_for("Carol hears it", lambda: carol.kith("ledger", "status").get("error"))
        self.assertFalse(self.posted(carol))
        self.assertGreaterEqual(before, 2)

    def test_a_witness_killed_before_its_answer_goes_on_from_what_it_kept(self):
        self.watch()
        witness = self.witnesses[2]
        for other in self.witnesses[:2]:
            other.stop()
        witness.stop()
        # The first commit of a running witness that nobody talks to is the next state it keeps.
        witness.environment = {**witness.environment, "KITH_CRASH_AT": "commit-after:2"}
        witness.start()
        self.witnesses[0].start()
        alice = self.person("Alice", wait=False)
        alice.start()
        self.assertEqual(witness.ended(), -9)
        size = self.status()["size"]
        del witness.environment["KITH_CRASH_AT"]
        witness.start()
        wait_for("Alice's identity is posted", lambda: self.posted(alice), 60)
        self.assertGreaterEqual(witness.kith("ledger", "witness")["ledgers"][0]["size"], size)

    def test_witnesses_stay_as_they_were_chosen(self):
        self.watch()
        self.person("Alice")
        self.host.stop()
        self.config.write_text(self.config.read_text().splitlines()[0] + "\nwitnesses = []\n")
        self.host.start()  # Nobody is asked, and the ledger still asks for two.
        self.assertEqual(self.status()["needed"], 2)
        self.host.stop()
        line = f'"{self.witnesses[0].shown["key"]} {self.witnesses[0].shown["address"]}"'
        self.config.write_text(f"[ledger]\nwitnesses = [{line}]\n")
        refused = self.host.refuses("run", "--listen", "127.0.0.1:0", "--ledger-serve")
        self.assertEqual(refused.code, "state.wrong")
        self.assertIn("other witnesses", refused.message)

    def read_by_another_program(self, note):
        node = shutil.which("node")
        if node is None:
            return
        told = {"note": base64.b64encode(note.encode()).decode(),
                "log": self.host.kith("ledger", "status")["host"]["key"],
                "witnesses": [w.shown["key"] for w in self.witnesses]}
        done = subprocess.run([node, str(READER)], input=json.dumps(told), capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(len(json.loads(done.stdout).get("witnesses", [])), 2, done.stdout)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
