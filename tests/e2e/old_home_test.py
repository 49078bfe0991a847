#!/usr/bin/env python3
"""Homes of older versions go on: what they held is there, they run, and what they held is still there.
Homes of newer versions are refused, and not touched.

    old_home_test.py BUILD
    old_home_test.py BUILD --write VERSION     makes a fixture with BUILD's kith

A fixture is tests/e2e/homes/VERSION.tar.xz: homes of an owner and of one of her trustees, and
said.json, what that version said about each. Once a version is released its fixture stays as it is.
(Ledgers have formats of their own: tests/ledger/leveldb_ledger_test.cpp.)
"""

import hashlib
import io
import json
import sys
import tarfile
import unittest
from pathlib import Path

import acts
from kith_process import Workbench, wait_for

FIXTURES = Path(__file__).resolve().parent / "homes"
BUILD = None
OWNERS, TRUSTEES = "Alice", "Bob"
# What later versions must say too; they may say more.
SAYINGS = {
    OWNERS: [["contacts", "show"], ["messages"], ["did", "show"], ["policy", "show"], ["recovery", "status"]],
    TRUSTEES: [["contacts", "show"], ["messages"], ["did", "show"], ["trustee", "list"]],
}
# Of time, or of what is under way.
PASSING = {"last_seen", "last_heard", "as_of", "age_s", "checked", "seen", "heard", "time_left", "waits"}


def forgotten(old, new, path=""):
    """Where `new` does not say what `old` said."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            if name not in PASSING:
                yield from forgotten(value, new.get(name), f"{path}/{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, value in enumerate(old):
            yield from forgotten(value, new[index], f"{path}/{index}")
    elif old != new:
        yield f"{path}: {old!r}, now {new!r}"


def sayings(node):
    return {" ".join(words): node.kith(*words) for words in SAYINGS[node.name]}


def tree(home):
    """Everything in a home that could be changed."""
    return {str(path.relative_to(home)): (path.stat().st_mode, path.stat().st_mtime_ns,
                                          hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
            for path in sorted(home.rglob("*"))}


def write_fixture(version):
    with Workbench(BUILD) as bench:
        mediator = bench.mediator()
        alice, bob, tara = (bench.person(name, mediator) for name in (OWNERS, TRUSTEES, "Tara"))
        for other in (bob, tara):
            alice.connect(other)
        acts.set_up_recovery(alice, [bob, tara], 2, 120)
        alice.kith("send", TRUSTEES, "hold on to this")
        wait_for("Bob reads it", lambda: "hold on to this" in bob.texts())
        for node in (alice, bob, tara, mediator):
            node.stop()
        said = {node.name: sayings(node) for node in (alice, bob)}
        FIXTURES.mkdir(exist_ok=True)
        with tarfile.open(FIXTURES / f"{version}.tar.xz", "w:xz") as archive:
            for node in (alice, bob):
                for path in sorted(node.home.rglob("*")):
                    if path.is_file() and path.stat().st_size > 0 and not path.name.startswith("LOG"):  # No socket.
                        archive.add(path, f"{node.home.name}/{path.relative_to(node.home)}")
            text = json.dumps(said, indent=1, sort_keys=True).encode()
            member = tarfile.TarInfo("said.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))


class OldHomes(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Workbench(BUILD))

    def unpack(self, fixture):
        """(nodes, what they said); modes as a home has them, whatever the archive says."""
        with tarfile.open(fixture) as archive:
            said = json.loads(archive.extractfile("said.json").read())
            for member in archive.getmembers():
                path = self.bench.directory / member.name
                for folder in list(path.relative_to(self.bench.directory).parents)[-2::-1]:
                    (self.bench.directory / folder).mkdir(mode=0o700, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
                path.chmod(0o600)
        return {name: self.bench.node(name) for name in said}, said

    def test_they_go_on(self):
        fixtures = sorted(FIXTURES.glob("*.tar.xz"))
        self.assertTrue(fixtures)
        for fixture in fixtures:
            with self.subTest(fixture.name):
                nodes, said = self.unpack(fixture)
                for name, node in nodes.items():
                    entries = 1
                    for _ in range(2):  # Before and after this version has written to it.
                        # As a node: a single command would wait for a mediator that is long gone.
                        node.start()
                        now = sayings(node)
                        self.assertEqual(list(forgotten(said[name], now)), [])
                        verified = node.kith("audit", "verify")["entries"]
                        self.assertGreaterEqual(verified, entries)
                        entries = verified
                        node.stop()
                    # It would be seen.
                    spoiled = json.loads(json.dumps(said[name]).replace("did:", "dod:"))
                    self.assertTrue(list(forgotten(spoiled, now)))

    def test_newer_ones_are_refused_and_left_alone(self):
        nodes, _ = self.unpack(sorted(FIXTURES.glob("*.tar.xz"))[-1])
        node = nodes[OWNERS]
        formats = node.home / "format"
        known = formats.read_text()
        newest = node.kith("version")["home_format"]
        formats.write_text(f"{newest + 1}\n")
        before = tree(node.home)
        for words in (["status"], ["contacts", "show"], ["run"]):
            refusal = node.refuses(*words)
            self.assertEqual((refusal.code, refusal.exit_code), ("home.newer", 7), words)
            self.assertIn("newer Kith", refusal.message)
        self.assertEqual(tree(node.home), before)
        formats.write_text(known)
        node.start()
        node.stop()
        self.assertNotEqual(tree(node.home), before)  # Or the comparison says nothing.


if __name__ == "__main__":
    BUILD = sys.argv[1]
    if "--write" in sys.argv:
        write_fixture(sys.argv[sys.argv.index("--write") + 1])
        sys.exit(0)
    unittest.main(argv=sys.argv[:1])
