#!/usr/bin/env python3
"""A wallet that is bound to a key token (PKCS#11): without the token its passphrase opens nothing, and
a token that is gone, another one, locked or asked with a wrong PIN is told in words.

    token_test.py BUILD

The token is SoftHSM's (Debian: softhsm2), made anew in the test's own directory. Without it the test is
skipped by name: exit code 77.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from kith_process import PASSPHRASE, Workbench, wait_for
from terminal_test import Terminal

BUILD = None
TOOL = "softhsm2-util"
PIN = "73501926"
URI = "pkcs11:token=Anna%27s%20key"
LABEL = "Anna's key"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def tool(*words):
    subprocess.run([TOOL, *words], check=True, capture_output=True, timeout=60)


class TokenTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.bench.__enter__()
        self.place = Path(tempfile.mkdtemp(prefix="kith-token-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.tokens = self.place / "tokens"
        self.tokens.mkdir(mode=0o700)
        conf = self.place / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\n"
                        "log.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
        self.new_token()

    def new_token(self, label=LABEL):
        tool("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "90817263")

    def node(self, pin=PIN):
        node = self.bench.node("Anna")
        self.write(node, pin=pin)
        return node

    def write(self, node, passphrase=PASSPHRASE, pin=PIN):
        node.passphrase_file.write_text(passphrase + "\n" + (pin + "\n" if pin else ""))

    def refusal(self, node, *words):
        refused = node.refuses(*words)
        return refused.code, refused.exit_code

    def test_it_opens_with_both_and_with_neither_alone(self):
        anna = self.node()
        anna.init("--token", URI, "--ledger", f"leveldb:{self.bench.directory}/ledger")
        anna.kith("did", "rotate", "--yes")  # Step-up: the token is not asked again.
        anna.start()
        anna.kith("did", "rotate", "--yes")
        self.write(anna, pin=None)
        anna.kith("did", "rotate", "--yes")  # The running node has the token's answer.
        anna.stop()

        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.token_pin_needed", 3))
        self.write(anna, pin="00000000")
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.token_pin", 6))
        self.write(anna, passphrase="correct horse battery stable")
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.passphrase", 6))

        self.write(anna)
        away = self.tokens.rename(self.place / "away")
        self.tokens.mkdir(mode=0o700)
        refused = anna.refuses("contacts")
        self.assertEqual((refused.code, refused.exit_code), ("wallet.token_missing", 4))
        self.assertIn("recover", refused.hint)
        self.new_token()  # Of the same name: another token all the same.
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.token_missing", 4))
        shutil.rmtree(self.tokens)
        away.rename(self.tokens)
        anna.kith("contacts")

    def test_a_locked_node_asks_for_the_pin(self):
        anna = self.node()
        anna.init("--no-identity", "--token", URI)
        anna.start()
        anna.kith("lock")
        self.write(anna, pin=None)
        self.assertEqual(self.refusal(anna, "unlock"), ("wallet.token_pin_needed", 3))
        self.write(anna, pin="00000000")
        self.assertEqual(self.refusal(anna, "unlock"), ("wallet.token_pin", 6))
        self.assertTrue(anna.kith("status")["locked"])
        self.write(anna)
        anna.kith("unlock")
        wait_for("it is open", lambda: not anna.kith("status").get("locked"))

    def test_a_token_comes_and_goes_with_the_passphrase(self):
        anna = self.node()
        anna.init("--no-identity")
        new = self.bench.directory / "new.passphrase"
        words = ("passphrase", "--new-passphrase-file", str(new))
        new.write_text(PASSPHRASE + " again\n")
        self.assertEqual(self.refusal(anna, *words, "--token", URI, "--no-token"), ("usage", 2))
        self.assertEqual(self.refusal(anna, *words, "--token", "pkcs11:token=Nobody"),
                         ("wallet.token_missing", 4))
        self.assertEqual(self.refusal(anna, *words, "--token", "Anna"), ("usage", 2))
        anna.kith("contacts")  # What was refused changed nothing.
        bare = (anna.home / "keystore").read_bytes()
        anna.kith(*words, "--token", URI)
        bound = (anna.home / "keystore").read_bytes()
        self.assertIn(LABEL.encode(), bound)
        self.assertNotIn(LABEL.encode(), bare)
        self.write(anna, PASSPHRASE + " again", pin=None)
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.token_pin_needed", 3))
        self.write(anna, PASSPHRASE + " again")
        anna.kith("contacts")
        new.write_text(PASSPHRASE + "\n")
        anna.kith(*words)  # The token stays.
        self.write(anna, pin=None)
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.token_pin_needed", 3))
        self.write(anna)
        anna.kith(*words, "--no-token")
        self.write(anna, pin=None)
        anna.kith("contacts")

    def test_a_wallet_without_a_passphrase_gets_both(self):
        anna = self.bench.node("Anna", passphrase=None)
        anna.init("--no-identity")
        new = self.bench.directory / "anna.new"
        words = ("passphrase", "--token", URI, "--new-passphrase-file", str(new))
        new.write_text(PASSPHRASE + "\n")
        self.assertEqual(self.refusal(anna, *words), ("wallet.token_pin_needed", 3))
        new.write_text(PASSPHRASE + "\n" + PIN + "\n")
        anna.kith(*words)
        self.assertEqual(self.refusal(anna, "contacts"), ("wallet.step_up", 3))
        anna.passphrase_file = new
        anna.kith("contacts")

    def test_a_person_at_the_terminal_is_asked_for_the_pin(self):
        anna = self.bench.node("Anna")
        terminal = Terminal(self.bench.kith, "init", "--test", "--no-identity", "--token", URI, "--home", anna.home)
        for question, answer in (("Choose a passphrase", PASSPHRASE), ("The same once more", PASSPHRASE),
                                 ("The PIN of your key token", PIN)):
            terminal.expect(question)
            terminal.type(answer)
        self.assertEqual(terminal.end(), 0, terminal.all)
        self.assertNotIn(PIN, terminal.all)
        for pin, outcome in (("00000000", 6), (PIN, 0)):
            terminal = Terminal(self.bench.kith, "contacts", "--home", anna.home)
            terminal.expect("Your passphrase")
            terminal.type(PASSPHRASE)
            terminal.expect("The PIN of your key token")
            terminal.type(pin)
            self.assertEqual(terminal.end(), outcome, terminal.all)
            self.assertEqual("does not take this PIN" in terminal.all, outcome != 0)

    def test_an_imported_wallet_is_bound_at_once(self):
        anna = self.node(pin=None)
        mediator = self.bench.mediator()
        anna.init("--ledger", mediator.url, "--mediator", mediator.url)
        file, key = self.bench.directory / "anna.kith", self.bench.directory / "anna.key"
        anna.kith("export", str(file), "--key-file", str(key), "--move")
        there = self.bench.node("There")
        self.write(there)
        there.kith("import", str(file), "--key-file", str(key), "--token", URI)
        self.write(there, pin=None)
        self.assertEqual(self.refusal(there, "contacts"), ("wallet.token_pin_needed", 3))

    def test_two_tokens_of_one_name_are_told_apart_by_number(self):
        self.new_token()
        anna = self.node()
        refused = anna.refuses("init", "--no-identity", "--test", "--token", URI)
        self.assertEqual(refused.code, "usage")
        self.assertIn("serial", refused.message + refused.hint)
        shown = subprocess.run([TOOL, "--show-slots"], capture_output=True, text=True, check=True).stdout
        serial = next(line.split()[-1] for line in shown.splitlines()
                      if "Serial number:" in line and len(line.split()) > 2)
        anna.init("--no-identity", "--token", f"{URI};serial={serial}")
        anna.kith("contacts")

    def test_a_token_needs_a_passphrase_beside_it(self):
        anna = self.bench.node("Anna", passphrase=None)
        self.assertEqual(anna.refuses("init", "--no-identity", "--token", URI, "--no-passphrase").code, "usage")

    def test_the_keystore_is_altered_nowhere_unnoticed(self):
        anna = self.node()
        anna.init("--no-identity", "--token", URI)
        keystore = anna.home / "keystore"
        right = keystore.read_bytes()
        link = right.index(LABEL.encode())
        for at in (link, link + 32, link + 48, link + 49, link + 81, link + 100, link + 146, len(right) - 1):
            wrong = bytearray(right)
            wrong[at] ^= 1
            keystore.write_bytes(wrong)
            refused = anna.refuses("contacts")
            self.assertIn(refused.code, ("wallet.token_missing", "wallet.passphrase", "storage.corrupt",
                                         "policy.refused"), at)
        keystore.write_bytes(right)
        anna.kith("contacts")


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    if shutil.which(TOOL) is None or not Path(MODULE).exists():
        print("skipped: no SoftHSM here (Debian: softhsm2)")
        sys.exit(77)
    unittest.main(verbosity=2)
