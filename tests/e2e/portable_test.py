#!/usr/bin/env python3
"""A wallet that changes machines, with real processes: exported from one home, imported into another, and its
contacts reach it there; the old home does not run any more, and is erased, even if that is cut off. What
is said to a wrong passphrase, a file that is cut off or altered, and whoever lets others down.

    portable_test.py BUILD
"""

import json
import os
import subprocess
import sys
import unittest

from acts import identity_posted, mail_ready, set_up_recovery, together
from kith_process import Workbench, wait_for
from secret_search import Search

FAILED = 1
USAGE = 2
REFUSED = 3
UNVERIFIED = 6
WRONG_STATE = 7
BUILD = "build/dev"
FILE_PASSPHRASE = "otter velvet canyon drizzle maple"


class PortableTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.mediator = self.bench.mediator()
        self.opens = self.bench.directory / "file.passphrase"
        self.opens.write_text(FILE_PASSPHRASE + "\n")

    def people(self, *names):
        people = together(lambda name: self.bench.person(name, self.mediator), names)
        for person in people:
            mail_ready(person)
            identity_posted(person)
        return people

    def export(self, person, *words):
        file = self.bench.directory / f"{person.name.lower()}.kith"
        person.kith("export", file, "--file-passphrase-file", self.opens, *words)
        return file

    def laptop(self, name="Laptop"):
        return self.bench.node(name, label=name)

    def take_in(self, laptop, file, *words):
        return laptop.kith("import", file, "--file-passphrase-file", self.opens, *words)

    def recovered(self, laptop):
        wait_for("the identity lives on the laptop",
                 lambda: laptop.kith("recover", "status")["state"] == "recovered")

    def test_a_wallet_moves_and_its_contacts_follow(self):
        alice, bob = self.people("Alice", "Bob")
        alice.connect(bob)
        did = alice.kith("did", "show")["did"]
        refusal = alice.refuses("export", self.bench.directory / "early.kith",
                                "--file-passphrase-file", self.opens)
        self.assertEqual(refusal.exit_code, WRONG_STATE)  # Its node runs.
        alice.stop()
        file = self.export(alice, "--move")
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertFalse(Search({"did": did, "kind": "vault-item"}).in_bytes("file", file.read_bytes()))

        # The old home is closed.
        for words in (["status"], ["run"], ["contacts"]):
            refusal = alice.refuses(*words)
            self.assertEqual(refusal.exit_code, WRONG_STATE)
            self.assertIn("moved to another machine", refusal.message)

        laptop = self.laptop()
        reply = self.take_in(laptop, file)
        self.assertEqual(reply["did"], did)
        self.assertEqual(reply["contacts"], 1)
        self.assertTrue(reply["moved"])
        self.take_in(laptop, file)  # Again: what is done stays done.
        laptop.start("--listen", "127.0.0.1:0")
        self.recovered(laptop)
        self.assertEqual(laptop.kith("did", "show")["did"], did)
        wait_for("Bob knows the new keys",
                 lambda: "Alice" in bob.contacts() and bob.kith("ping", "Alice")["answered"])
        bob.kith("send", "Alice", "are you there?")
        wait_for("Alice reads it on the laptop", lambda: "are you there?" in laptop.texts("Bob"))
        laptop.kith("send", "Bob", "I am")
        wait_for("Bob reads it", lambda: "I am" in bob.texts("Alice"))
        self.assertTrue(laptop.events("wallet.imported"))

        # Whoever has an identity takes no other in.
        other = self.bench.directory / "bob.kith"
        bob.stop()
        bob.kith("export", other, "--file-passphrase-file", self.opens)
        laptop.stop()
        refusal = laptop.refuses("import", other, "--file-passphrase-file", self.opens)
        self.assertEqual(refusal.exit_code, WRONG_STATE)

        # A moved home is erased without a word to anybody, and without its passphrase.
        gone = alice.kith("home", "erase", "--yes", passphrase=False)
        self.assertTrue(gone["erased"])
        self.assertNotIn("told", gone)
        self.assertFalse(alice.home.exists())

    def test_a_move_is_taken_back(self):
        alice, = self.people("Alice")
        alice.stop()
        self.export(alice, "--move")
        self.assertEqual(alice.refuses("status").exit_code, WRONG_STATE)
        self.assertEqual(alice.refuses("home", "keep", passphrase=False).exit_code, USAGE)
        alice.kith("home", "keep", "--yes", passphrase=False)
        alice.kith("status")
        self.assertEqual(alice.refuses("home", "keep", "--yes", passphrase=False).exit_code,
                         WRONG_STATE)

    def test_bad_files_make_no_home(self):
        alice, = self.people("Alice")
        alice.stop()
        file = self.export(alice)
        laptop = self.laptop()
        whole = file.read_bytes()

        wrong = self.bench.directory / "wrong.passphrase"
        wrong.write_text("another otter velvet canyon maple\n")
        refusal = laptop.refuses("import", file, "--file-passphrase-file", wrong)
        self.assertEqual((refusal.exit_code, refusal.code), (UNVERIFIED, "wallet.passphrase"))

        def refused_as(content):
            bad = self.bench.directory / "bad.kith"
            bad.write_bytes(content)
            return laptop.refuses("import", bad, "--file-passphrase-file", self.opens)
        for size in (0, 40, 64, 5000, len(whole) - 1):
            refusal = refused_as(whole[:size])
            self.assertEqual(refusal.exit_code, FAILED, size)
            self.assertIn("exported wallet", refusal.message)
        middle = len(whole) // 2
        altered = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:]
        refusal = refused_as(altered)
        self.assertEqual(refusal.exit_code, UNVERIFIED)
        self.assertIn("altered or damaged", refusal.message)
        self.assertEqual(refused_as(b"kith-portable-v9" + whole[16:]).code, "home.newer")
        self.assertEqual(laptop.refuses("import", file).exit_code, USAGE)
        self.assertFalse(laptop.home.exists())

        # Nothing is written over, and what is easy to guess is no lock.
        again = alice.refuses("export", file, "--file-passphrase-file", self.opens)
        self.assertEqual(again.code, "conflict")
        wrong.write_text("alice\n")
        weak = alice.refuses("export", self.bench.directory / "weak.kith",
                             "--file-passphrase-file", wrong)
        self.assertEqual(weak.code, "wallet.weak_passphrase")
        self.assertFalse((self.bench.directory / "weak.kith").exists())

    def test_a_key_file_opens_it_too(self):
        alice, = self.people("Alice")
        alice.stop()
        file, key = (self.bench.directory / name for name in ("a.kith", "a.key"))
        alice.kith("export", file, "--key-file", key)
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        laptop = self.laptop()
        self.assertEqual(laptop.refuses("import", file).exit_code, USAGE)
        long = self.bench.directory / "long.key"
        long.write_text(key.read_text() + " " * 256)
        self.assertEqual(laptop.refuses("import", file, "--key-file", long).code, "input.limit")
        shown = laptop.kith("import", file, "--key-file", key, "--dry-run")
        self.assertEqual(shown["file"]["name"], "Alice")
        self.assertFalse(laptop.home.exists())
        laptop.kith("import", file, "--key-file", key)
        laptop.start("--listen", "127.0.0.1:0")
        self.recovered(laptop)

    def test_erasing_tells_people_and_leaves_nothing(self):
        alice, bob = self.people("Alice", "Bob")
        alice.connect(bob)
        alice.kith("send", "Bob", "a-canary-in-a-text")
        wait_for("Bob has it", lambda: "a-canary-in-a-text" in bob.texts())
        did = alice.kith("did", "show")["did"]
        self.assertEqual(alice.refuses("home", "erase", "--yes").exit_code, WRONG_STATE)
        alice.stop()
        keystore = (alice.home / "keystore").read_bytes()
        elsewhere = self.bench.directory / "second-name"
        elsewhere.hardlink_to(alice.home / "keystore")
        self.assertEqual(alice.refuses("home", "erase").exit_code, USAGE)  # Nobody to ask.
        self.assertTrue(alice.home.exists())
        (alice.home / "mine.txt").write_text("not Kith's")
        gone = alice.kith("home", "erase", "--yes")
        self.assertEqual(gone["told"], ["Bob"])
        self.assertEqual(gone["not_told"], [])
        self.assertEqual(gone["left"], ["mine.txt"])
        wait_for("Bob reads the farewell",
                 lambda: any("take Kith off" in text for text in bob.texts("Alice")))
        self.assertEqual([path.name for path in alice.home.iterdir()], ["mine.txt"])
        search = Search({"did": did, "text": "a-canary-in-a-text", "key": keystore[-32:]})
        self.assertEqual(search.in_tree(alice.home), [])
        self.assertEqual(search.in_bytes("keystore", elsewhere.read_bytes()), [])
        self.assertEqual(alice.refuses("status").code, "home.missing")

    def test_erasing_names_who_could_not_be_told(self):
        alice, bob = self.people("Alice", "Bob")
        alice.connect(bob)
        bob.stop()
        alice.stop()
        gone = alice.kith("home", "erase", "--yes", "--wait", "1")
        self.assertEqual((gone["told"], gone["not_told"]), ([], ["Bob"]))
        self.assertFalse(alice.home.exists())
        bob.start()
        wait_for("the farewell waited for Bob",
                 lambda: any("take Kith off" in text for text in bob.texts("Alice")))

    def test_erasing_is_finished_by_the_next_try(self):
        alice, = self.people("Alice")
        alice.stop()
        # As a kill leaves it behind the keystore's end.
        (alice.home / "erasing").touch(mode=0o600)
        (alice.home / "keystore").unlink()
        for words in (["status"], ["run"]):
            refusal = alice.refuses(*words)
            self.assertEqual(refusal.exit_code, WRONG_STATE)
            self.assertIn("being erased", refusal.message)
        alice.kith("home", "erase", passphrase=False)
        self.assertFalse(alice.home.exists())

    def test_nothing_starts_an_erased_home(self):
        data, config = (self.bench.directory / name for name in ("data", "config"))
        link = config / "systemd" / "user" / "default.target.wants" / "kith.service"
        link.parent.mkdir(parents=True)
        link.symlink_to("/usr/lib/systemd/user/kith.service")
        mine = {**os.environ, "XDG_DATA_HOME": str(data), "XDG_CONFIG_HOME": str(config)}

        def kith(*words):
            return json.loads(subprocess.run(
                [str(self.bench.kith), *words, "--json"], env=mine, capture_output=True,
                check=True, timeout=60).stdout)
        other = str(self.bench.directory / "other")
        for home in (str(data / "kith"), other):
            kith("init", "--no-identity", "--no-passphrase", "--test", "--home", home)
        self.assertNotIn("start_link", kith("home", "erase", "--yes", "--home", other))
        self.assertTrue(link.is_symlink())
        gone = kith("home", "erase", "--yes")
        self.assertEqual(gone["start_link"], str(link))
        self.assertFalse(link.is_symlink())

    def test_nobody_is_let_down_unasked(self):
        alice, bob, carol = self.people("Alice", "Bob", "Carol")
        together(alice.connect, [bob, carol])
        set_up_recovery(alice, [bob, carol], 2)
        bob.stop()
        for words in (["export", self.bench.directory / "bob.kith", "--move",
                       "--file-passphrase-file", self.opens], ["home", "erase", "--yes"]):
            refusal = bob.refuses(*words)
            self.assertEqual(refusal.exit_code, REFUSED)
            self.assertIn("1 person counts on this device", refusal.message)
        self.assertFalse((self.bench.directory / "bob.kith").exists())
        gone = bob.kith("home", "erase", "--yes", "--anyway")
        self.assertEqual(gone["told"], ["Alice"])
        wait_for("Alice hears that a share is gone",
                 lambda: any("share of your recovery" in text for text in alice.texts("Bob")))


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main()
