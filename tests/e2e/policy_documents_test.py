#!/usr/bin/env python3
"""A real node and its policy documents: taken at the start, by command and on SIGHUP; a bad file is named
with its line and changes nothing; what a document forbids is refused, across a restart; what happens by
itself can be turned off.

    policy_documents_test.py BUILD
"""

import json
import signal
import sys
import unittest

from acts import identity_posted
from kith_process import Workbench, run_kith, wait_for

REFUSED = 3
USAGE = 2
NEEDS_PASSPHRASE = 3
BUILD = "build/dev"

HOUSE = """level = "domain"
name = "house"
frameworks = ["club"]

[[rule]]
operations = ["profile-set"]
effect = "EFFECT"
reason = "names are settled"
"""
SCRIPT = """name = "New keys"

[[step]]
say = "The door is closed"

[[step]]
command = "audit-verify"
"""
CLUB = """level = "framework"
name = "club"

[[rule]]
operations = ["export"]
effect = "forbid"
"""


class PolicyDocumentsTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.alice = self.bench.node("Alice")
        self.alice.init("--wait", "0", "--no-identity")
        self.directory = self.alice.home / "policy"
        self.directory.mkdir(mode=0o700)

    def write(self, name, text):
        file = self.directory / name
        file.write_text(text)
        file.chmod(0o600)

    def decision(self, operation):
        return self.alice.kith("policy", "explain", operation)["decision"]

    def notices(self):
        return [notice for notice in self.alice.kith("status")["notices"] if notice["kind"] == "policy"]

    def test_documents_are_taken_and_enforced(self):
        alice = self.alice
        self.write("club.toml", CLUB)
        self.write("house.toml", HOUSE.replace("EFFECT", "forbid"))
        alice.start()
        wait_for("the documents", lambda: len(alice.kith("policy", "documents")["documents"]) == 2)
        refusal = alice.refuses("did", "export")
        self.assertEqual(refusal.exit_code, REFUSED)
        self.assertIn("club (framework), club.toml line 4", refusal.message)
        self.assertEqual(self.decision("profile-set"), "forbid")
        self.assertEqual(self.decision("recovery veto"), "allow")

        # A bad file is named with its line, and changes nothing.
        self.write("house.toml", HOUSE.replace("EFFECT", "forbidden"))
        bad = alice.refuses("policy", "reload")
        self.assertEqual(bad.exit_code, USAGE)
        self.assertIn("house.toml, line 5", bad.message)
        self.assertEqual(self.decision("profile-set"), "forbid")
        alice.process.send_signal(signal.SIGHUP)
        wait_for("the notice", self.notices)
        self.assertIn("house.toml, line 5", self.notices()[0]["text"])
        self.assertEqual(self.decision("profile-set"), "forbid")

        # SIGHUP takes what is right.
        self.write("house.toml", HOUSE.replace("EFFECT", "passphrase"))
        alice.process.send_signal(signal.SIGHUP)
        wait_for("the new documents", lambda: self.decision("profile-set") == "passphrase")

        # What is in force outlives its files, until they are taken anew.
        alice.stop()
        self.assertEqual(self.decision("did-export"), "forbid")
        for file in self.directory.iterdir():
            file.unlink()
        self.assertEqual(self.decision("did-export"), "forbid")
        self.assertTrue(alice.kith("policy", "reload")["changed"])
        self.assertEqual(self.decision("did-export"), "allow")
        loaded = [entry for entry in alice.kith("audit", "show", "--last", "500")["entries"]
                  if entry["event"] == "policy.loaded"]
        self.assertEqual([len(entry["details"]["documents"]) for entry in loaded], [2, 2, 0])

    def test_what_happens_by_itself_is_listed_and_turned_off(self):
        alice = self.alice
        alice.start()
        rows = {row["name"]: row for row in alice.kith("auto", "list")["automations"]}
        self.assertFalse(rows["identity|watch"]["may_be_off"])
        self.assertIn("next", rows["keys|look"])
        self.assertEqual(alice.refuses("auto", "disable", "identity|watch").exit_code, REFUSED)
        self.assertIn("risk", alice.kith("auto", "disable", "keys|look", "--reason", "moving"))
        alice.kill()
        alice.start()
        rows = {row["name"]: row for row in alice.kith("auto", "list")["automations"]}
        self.assertEqual(rows["keys|look"]["reason"], "moving")
        self.assertNotIn("off_since", alice.kith("auto", "enable", "keys|look"))

    def test_readers_read_and_do_nothing_else(self):
        alice = self.alice
        place = self.bench.directory / "readers"
        place.mkdir(mode=0o755)
        socket = place / "kith.sock"
        (alice.home / "kith.toml").write_text(f'[node]\nreaders_socket = "{socket}"\n')
        alice.start()
        self.assertEqual(socket.stat().st_mode & 0o777, 0o660)

        def read(*words):
            return run_kith(self.bench.kith, ["--reader", str(socket), "--json", "--home",
                                              str(self.bench.directory / "nobody"), *words])

        code, out, err = read("audit", "show")
        self.assertEqual(code, 0, err)
        self.assertTrue(json.loads(out)["entries"])
        self.assertEqual(read("policy", "explain", "send")[0], 0)
        self.assertEqual(read("report", "access")[0], 0)
        for words in (["lock"], ["freeze"], ["messages"], ["policy", "reload"],
                      ["report", "review", "--yes"], ["auto", "disable", "keys|look"]):
            code, _, err = read(*words)
            self.assertNotEqual(code, 0, words)
        self.assertNotIn("frozen", alice.kith("status"))
        refused = {entry["details"]["command"] for entry in alice.kith("audit", "show")["entries"]
                   if entry["event"] == "reader.refused"}
        self.assertLessEqual({"freeze", "report-review", "auto-disable"}, refused)
        # Nobody but the owner may write to its directory.
        alice.stop()
        place.chmod(0o777)
        with self.assertRaises(Exception):
            alice.start()

    def test_a_ceremony_is_run_and_verified_elsewhere(self):
        carol = self.bench.node("Carol")
        carol.init("--wait", "0")
        carol.start()
        identity_posted(carol)
        script = self.bench.directory / "script.toml"
        script.write_text(SCRIPT)
        transcript = self.bench.directory / "transcript.json"
        done = carol.kith("ceremony", "run", script, "--witnessed-by", "Ann,Ben", "--out", transcript, "--yes")
        self.assertEqual(done["outcome"], "done")

        def verify(*words):
            return run_kith(self.bench.kith, ["ceremony", "verify", str(transcript), "--json", *map(str, words)])

        code, out, err = verify("--script", script)
        self.assertEqual(code, 0, err)
        shown = json.loads(out)
        self.assertEqual(shown["witnesses"], ["Ann", "Ben"])
        self.assertEqual(verify("--key", shown["agent"])[0], 0)
        other = "2" if shown["agent"].endswith("1") else "1"
        self.assertNotEqual(verify("--key", shown["agent"][:-1] + other)[0], 0)

        # Nothing is done where its transcript could not be kept, and none is written over.
        kept = transcript.read_bytes()
        for place, refusal in ((transcript, "conflict"), (self.bench.directory / "none" / "there.json", "io")):
            before = carol.kith("audit", "show", "--last", 1)
            refused = carol.refuses("ceremony", "run", script, "--out", place, "--yes")
            self.assertEqual(refused.code, refusal)
            self.assertEqual(carol.kith("audit", "show", "--last", 1), before)
        self.assertEqual(transcript.read_bytes(), kept)
        self.assertEqual([one.name for one in self.bench.directory.glob("*.new")], [])
        script.write_text(SCRIPT + "# later\n")
        self.assertNotEqual(verify("--script", script)[0], 0)
        whole = json.loads(transcript.read_text())
        self.assertNotIn("entries", transcript.read_text())
        whole["witnesses"] = ["Ann", "Eve"]
        transcript.write_text(json.dumps(whole))
        self.assertNotEqual(verify()[0], 0)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
