#!/usr/bin/env python3
"""`kith slip39` and `kith shamir` as people and scripts use them: no wallet, secrets on the input, and
what is wrong is said in words."""

import json
import random
import subprocess
import sys
import unittest
from pathlib import Path

KITH = Path(sys.argv.pop(1)) / "kith"
SECRET = "bb54aac4b89dc868ba37d9cc21b2cece"


def kith(*words, text=b"", code=0):
    done = subprocess.run([KITH, *words], input=text, capture_output=True, check=False, timeout=60)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done.stdout if code == 0 else done.stderr.decode()


def lines(some):
    return "".join(line + "\n" for line in some).encode()


class Slip39(unittest.TestCase):
    def split(self, *words):
        out = kith("slip39", "split", "--secret-hex", SECRET, "--exponent", "0", *words).decode()
        return [group.splitlines() for group in out.rstrip("\n").split("\n\n")]

    def test_groups_are_apart_and_any_that_suffice_give_the_secret(self):
        groups = self.split("--group-threshold", "2", "--group", "2/3", "--group", "1/1", "--group", "3/5")
        self.assertEqual([len(group) for group in groups], [3, 1, 5])
        enough = [groups[2][4], groups[2][0], groups[2][2], groups[1][0]]
        self.assertEqual(kith("slip39", "combine", text=lines(enough)).decode(), SECRET + "\n")
        self.assertEqual(json.loads(kith("slip39", "combine", "--json", text=b"\n\n".join(
            line.upper().encode() for line in enough)))["secret_hex"], SECRET)

    def test_the_secret_may_come_on_the_input(self):
        out = kith("slip39", "split", "--secret-hex", "-", "--group", "1/1", "--exponent", "0", "--json",
                   text=SECRET.upper().encode() + b"\n")
        mnemonic = json.loads(out)["groups"][0][0]
        self.assertEqual(kith("slip39", "combine", text=lines([mnemonic])).decode().strip(), SECRET)

    def test_a_passphrase_is_needed_again(self):
        [[mnemonic]] = self.split("--group", "1/1", "--passphrase", "TREZOR")
        right = kith("slip39", "combine", "--passphrase", "TREZOR", text=lines([mnemonic]))
        self.assertEqual(right.decode().strip(), SECRET)
        self.assertNotEqual(kith("slip39", "combine", text=lines([mnemonic])).decode().strip(), SECRET)

    def test_what_is_wrong_is_said(self):
        [group] = self.split("--group", "2/3")
        said = kith("slip39", "combine", text=lines(group[:1]), code=5)
        self.assertIn("2 mnemonics are needed, and 1 given", said)
        self.assertIn("leave the others out", kith("slip39", "combine", text=lines(group), code=1))
        self.assertIn("mnemonic 2 is there twice", kith("slip39", "combine", text=lines([group[0]] * 2), code=1))
        words = group[1].split()
        words[5] = "dragonfly"
        said = kith("slip39", "combine", text=lines([group[0], " ".join(words)]), code=1)
        self.assertIn("mnemonic 2: word 6 is not one of the word list", said)
        self.assertNotIn("dragonfly", said)
        said = kith("slip39", "combine", text=lines([group[0], " ".join(group[1].split()[:-1])]), code=1)
        self.assertIn("mnemonic 2", said)
        kith("slip39", "combine", code=5)

    def test_plans_that_cannot_be_are_refused(self):
        split = ("slip39", "split", "--secret-hex", SECRET)
        kith(*split, code=2)
        for group in ("3", "a/b", "2/", "/3", "2/3/4", "2of3", "", "999/1000"):
            kith(*split, "--group", group, code=2)
        for group in ("3/2", "0/1", "1/2", "2/17"):
            kith(*split, "--group", group, code=1)
        kith(*split, "--group", "2/3", "--group-threshold", "2", code=1)
        kith(*split, "--group", "2/3", "--exponent", "12", code=1)
        kith(*split, "--group", "2/3", "--exponent", "-1", code=2)
        for secret in ("", "bb", "zz" * 16, SECRET + "a", SECRET + "aa", "00" * 66):
            kith("slip39", "split", "--secret-hex", secret, "--group", "1/1", code=1)


class Shamir(unittest.TestCase):
    def split(self, content, threshold=3, count=5):
        return kith("shamir", "split", "--threshold", str(threshold), "--shares", str(count),
                    text=content).decode().splitlines()

    def test_any_that_suffice_give_every_byte_back(self):
        for content in (b"\0\xff\n", b'{"a": 1}', random.Random(1).randbytes(64 * 1024)):
            shares = self.split(content)
            self.assertEqual(kith("shamir", "combine", text=lines(shares[::2])), content)
            self.assertEqual(kith("shamir", "combine", text=lines(shares)), content)

    def test_an_altered_share_is_named_and_left_out(self):
        shares = self.split(b"letter")
        share = json.loads(shares[1])
        share["value"] = share["value"][:-2] + ("AA" if share["value"][-2:] != "AA" else "BA")
        altered = [shares[0], json.dumps(share), shares[2]]
        self.assertIn("share 2 was altered", kith("shamir", "combine", text=lines(altered), code=6))
        done = subprocess.run([KITH, "shamir", "combine"], input=lines([*altered, shares[4]]),
                              capture_output=True, check=True)
        self.assertEqual(done.stdout, b"letter")
        self.assertIn(b"Share 2 was altered and left out.", done.stderr)

    def test_what_is_wrong_is_said(self):
        shares = self.split(b"letter")
        self.assertIn("3 shares are needed, and 2 given",
                      kith("shamir", "combine", text=lines(shares[:2]), code=5))
        mixed = [*shares[:2], self.split(b"other")[0]]
        self.assertIn("share 3 is of another set", kith("shamir", "combine", text=lines(mixed), code=1))
        self.assertIn("share 1", kith("shamir", "combine", text=b"no share\n", code=1))
        for threshold, count in ((1, 3), (4, 3), (2, 256), (2, 0)):
            kith("shamir", "split", "--threshold", str(threshold), "--shares", str(count), text=b"x",
                 code=1 if count < 256 else 2)
        kith("shamir", "split", "--threshold", "2", "--shares", "3", text=b"", code=1)
        kith("shamir", "split", "--threshold", "2", "--shares", "3", text=b"x" * (64 * 1024 + 1), code=1)
        kith("shamir", "split", "--threshold", "2", code=2)


if __name__ == "__main__":
    unittest.main()
