#!/usr/bin/env python3
"""Private keys are in one process alone, which can be locked away: nobody else's memory ever holds one,
and a locked node does nothing that needs one. Every search is first shown something that it finds.

    keys_test.py BUILD
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import process_memory
from kith_process import Workbench, wait_for

BUILD = None
NO_LOOK = "this system does not let us look into other processes"


def secrets_of(bench, node):
    """({name: bytes} that only the key process may hold, record keys); the node is stopped."""
    words = [str(bench.dump), str(node.home), str(node.passphrase_file or "-"), "--keys"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    values = {f"{index} {one['what']}": bytes.fromhex(one["value"]) for index, one in enumerate(said)}
    control = {name: value for name, value in values.items() if name.endswith("record keys")}
    return {name: value for name, value in values.items() if name not in control}, control


def key_process(node):
    """The one child that a running node has."""
    children = process_memory.children_of(node.process.pid)
    assert len(children) == 1, f"{node.name} has {len(children)} child processes"
    return children[0]


def is_locked(node):
    return node.kith("status")["locked"]


class Scan(threading.Thread):
    """Looks into one process again and again, until it is told to stop."""

    def __init__(self, pid, values):
        super().__init__(daemon=True)
        self.pid, self.values, self.found, self.rounds = pid, values, set(), 0
        self._stop_asked = threading.Event()

    def run(self):
        while not self._stop_asked.is_set():
            self.found |= process_memory.found_in(self.pid, self.values)
            self.rounds += 1

    def stop(self):
        self._stop_asked.set()
        self.join()
        return self.found


class KeysTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD).__enter__()

    def tearDown(self):
        failed = any(error for _, error in self._outcome.errors) if hasattr(self._outcome, "errors") else False
        self.bench.__exit__(AssertionError if failed else None, None, None)

    def pair(self):
        mediator = self.bench.mediator()
        alice = self.bench.person("Alice", mediator)
        bob = self.bench.person("Bob", mediator)
        alice.connect(bob)
        return mediator, alice, bob

    def test_keys_are_in_one_process_alone(self):
        if not process_memory.can_look():
            self.skipTest(NO_LOOK)
        mediator, alice, bob = self.pair()
        for node in (alice, mediator):  # With a passphrase, and with a bare key file.
            node.stop()
            secrets, control = secrets_of(self.bench, node)
            self.assertGreater(len(secrets), 4, "there are private keys to look for")
            node.start()
            network, keys = node.process.pid, key_process(node)
            # Controls: the search finds what each of the two processes must have.
            self.assertEqual(process_memory.found_in(network, control), set(control))
            root = {name: value for name, value in secrets.items() if name.endswith(" root")}
            self.assertEqual(process_memory.found_in(keys, root), set(root))

            scan = Scan(network, secrets)
            scan.start()
            if node is alice:
                alice.kith("ping", "Bob")
                alice.kith("send", "Bob", "one")
                alice.kith("did", "rotate", "--yes", also=(1, 3, 5, 7))
            bob.kith("send", "Alice", "two")
            wait_for("the text arrives", lambda: "two" in alice.texts("Bob")) if node is alice else None
            self.assertEqual(scan.stop(), set(), "a key in the network process")
            self.assertGreater(scan.rounds, 0)

            # After each operation no private key is left in the key process: only what opens them.
            own = {name: value for name, value in secrets.items()
                   if not name.split(" ", 1)[1] in ("root", "key of keys", "key of shares")}
            self.assertEqual(process_memory.found_in(keys, own), set(), "a key left after its use")
            # What the kernel would write to a core file, if it were allowed to.
            for pid in (network, keys):
                self.assertEqual(process_memory.found_in(pid, secrets, dumped_only=True), set(),
                                 "a key in a core dump")
            if node is alice:
                alice.kith("lock")
                self.assertEqual(process_memory.children_of(network), [])
                everything = {**secrets, **control}
                self.assertEqual(process_memory.found_in(network, everything), set(),
                                 "a key in a locked node")

    def test_a_crash_leaves_no_core_file(self):
        node = self.bench.node("Crash")
        node.init("--no-identity")
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        before = set(os.listdir("."))
        node.start()
        keys = key_process(node)
        os.kill(keys, signal.SIGSEGV)
        self.assertEqual(node.ended(), 1)
        self.assertIn("wallet.keys_gone", node.log_text())
        node.start()
        os.kill(node.process.pid, signal.SIGSEGV)
        self.assertEqual(node.ended(), -signal.SIGSEGV)
        self.assertEqual(set(os.listdir(".")) - before, set(), f"a core file (hard limit {hard})")

    def test_the_node_stops_in_order_when_its_keys_are_gone(self):
        _, alice, bob = self.pair()
        os.kill(key_process(alice), signal.SIGKILL)
        self.assertEqual(alice.ended(), 1)
        self.assertIn("wallet.keys_gone", alice.log_text())
        alice.start()  # Nothing is lost.
        bob.kith("send", "Alice", "still there?")
        wait_for("the text arrives", lambda: "still there?" in alice.texts("Bob"))

    def test_the_key_process_goes_with_its_node(self):
        node = self.bench.node("Alone")
        node.init("--no-identity")
        node.start()
        keys = key_process(node)
        node.kill()
        status = Path(f"/proc/{keys}/status")
        wait_for("the key process ends", lambda: not status.exists() or "zombie" in status.read_text())

    def test_the_key_process_can_do_nothing_else(self):
        node = self.bench.node("Boxed")
        node.init("--no-identity")
        node.start()
        status = Path(f"/proc/{key_process(node)}/status").read_text()
        for line in ("NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)
        descriptors = os.listdir(f"/proc/{key_process(node)}/fd")
        self.assertEqual(sorted(descriptors), ["0", "1", "2", "3", "4"])

    def test_a_locked_node_waits_with_everything(self):
        _, alice, bob = self.pair()
        self.assertFalse(is_locked(alice))
        keys = key_process(alice)
        pid = alice.process.pid
        alice.kith("lock")
        self.assertTrue(is_locked(alice))
        self.assertEqual(alice.process.pid, pid)
        self.assertTrue(alice.runs())
        self.assertFalse(os.path.exists(f"/proc/{keys}"))
        for words in (["contacts"], ["send", "Bob", "no"], ["ping", "Bob"], ["did", "show"], ["invite"]):
            refused = alice.refuses(*words)
            self.assertEqual((refused.code, refused.exit_code), ("wallet.locked", 7))
            self.assertIn("kith unlock", refused.hint)
        self.assertTrue(alice.kith("lock")["locked"])  # Twice does no harm.
        bob.kith("send", "Alice", "while you were away")

        right = alice.passphrase_file.read_text()
        alice.passphrase_file.write_text("something else entirely\n")
        self.assertEqual(alice.refuses("unlock").code, "wallet.passphrase")
        self.assertTrue(is_locked(alice))
        alice.passphrase_file.write_text(right)
        alice.kith("unlock")
        self.assertFalse(is_locked(alice))
        wait_for("the text arrives", lambda: "while you were away" in alice.texts("Bob"))
        alice.kith("unlock", "--for", "1s")
        wait_for("it locks again", lambda: is_locked(alice))
        alice.kith("unlock", "--for", "10m")
        self.assertFalse(is_locked(alice))

    def test_a_node_locks_itself_and_keeps_its_port(self):
        node = self.bench.node("Idle")
        node.init("--no-identity")
        (node.home / "kith.toml").write_text('[node]\nauto_lock_s = 1\nlisten = "127.0.0.1:0"\n')
        (node.home / "kith.toml").chmod(0o600)
        node.start("--locked")
        port = node.ready["port"]
        self.assertTrue(node.ready["locked"])
        node.kith("unlock")
        children = process_memory.children_of(node.process.pid)
        self.assertEqual(len(children), 1)
        # Looking at the status would count as use: the child's end shows it.
        wait_for("it locks itself", lambda: not process_memory.children_of(node.process.pid))
        wait_for("it answers", lambda: is_locked(node))
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/invitation", timeout=10)
        self.assertEqual(raised.exception.code, 503)
        self.assertEqual(raised.exception.headers["Retry-After"], "60")
        raised.exception.close()

    def test_a_service_gets_its_passphrase_from_systemd(self):
        node = self.bench.node("Served")
        node.init("--no-identity")
        credentials = self.bench.directory / "credentials"
        credentials.mkdir(mode=0o700)
        place = credentials / "kith.passphrase"
        node.passphrase_file.rename(place)
        node.passphrase_file = None
        self.assertEqual(node.refuses("contacts").code, "wallet.step_up")
        node.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
        node.start()
        self.assertFalse(is_locked(node))
        node.stop()
        place.write_text("something else entirely\n")
        os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY")
        self.assertEqual(node.refuses("contacts").code, "wallet.passphrase")

    def test_without_a_passphrase_nothing_is_locked(self):
        node = self.bench.node("Bare", passphrase=None)
        node.init("--no-identity")
        node.start()
        self.assertEqual(node.refuses("lock").code, "state.wrong")
        node.stop()
        self.assertEqual(node.kith("lock"), {"locked": True, "running": False})
        self.assertEqual(node.refuses("unlock").code, "state.wrong")

    def test_a_weak_passphrase_is_refused(self):
        node = self.bench.node("Weak", passphrase="Summer2024!")
        node.kind = []
        refused = node.refuses("init", "--no-identity")
        self.assertEqual((refused.code, refused.exit_code), ("wallet.weak_passphrase", 3))
        node.passphrase_file.write_text("gravel unicorn teapot sideways\n")
        node.kith("init", "--no-identity")
        node.start()

    def test_a_passphrase_is_changed_and_everything_else_stays(self):
        node = self.bench.node("Changer")
        node.init("--no-identity")
        before = node.home.joinpath("keystore").read_bytes()
        old = node.passphrase_file
        new = old.with_name("changer-new")
        change = ("passphrase", "--new-passphrase-file", new)

        node.start()
        new.write_text("gravel unicorn teapot sideways\n")
        self.assertEqual(node.refuses(*change).code, "home.in_use")
        node.stop()
        self.assertEqual(node.home.joinpath("keystore").read_bytes(), before, "nothing changed so far")

        node.kith(*change)
        self.assertNotEqual(node.home.joinpath("keystore").read_bytes(), before)
        self.assertEqual(node.refuses("audit", "verify").code, "wallet.passphrase")
        self.assertEqual(node.refuses(*change).code, "wallet.passphrase")
        node.passphrase_file = new
        self.assertEqual(len(node.events("keystore.changed")), 1)
        node.start()
        node.stop()
        self.assertEqual(len(node.events("keystore.changed")), 1)

    def test_a_weak_new_passphrase_changes_nothing(self):
        node = self.bench.node("Weaker", passphrase="gravel unicorn teapot sideways")
        node.kind = []
        node.kith("init", "--no-identity")
        before = node.home.joinpath("keystore").read_bytes()
        new = node.passphrase_file.with_name("weaker-new")
        new.write_text("Summer2024!\n")
        self.assertEqual(node.refuses("passphrase", "--new-passphrase-file", new).code, "wallet.weak_passphrase")
        self.assertEqual(node.refuses("passphrase").code, "usage")
        new.write_text("\n")
        self.assertEqual(node.refuses("passphrase", "--new-passphrase-file", new).exit_code, 1)
        self.assertEqual(node.home.joinpath("keystore").read_bytes(), before)

    def test_the_new_passphrase_opens_the_vault(self):
        _, alice, _ = self.pair()
        alice.stop()
        old = alice.passphrase_file
        new = old.with_name("alice-new")
        new.write_text("gravel unicorn teapot sideways\n")
        alice.kith("passphrase", "--new-passphrase-file", new)
        self.assertEqual(alice.refuses("did", "rotate", "--yes").code, "wallet.passphrase")
        alice.passphrase_file = new
        alice.start()
        alice.kith("did", "rotate", "--yes")
        alice.passphrase_file = old
        self.assertEqual(alice.refuses("did", "rotate", "--yes").code, "wallet.passphrase")
        alice.passphrase_file = new

    def test_a_bare_wallet_gets_a_passphrase(self):
        node = self.bench.node("Bare", passphrase=None)
        node.init("--no-identity")
        new = self.bench.directory / "bare-new"
        new.write_text("gravel unicorn teapot sideways\n")
        node.kith("passphrase", "--new-passphrase-file", new)
        self.assertEqual(node.refuses("audit", "verify").exit_code, 3)
        node.passphrase_file = new
        self.assertEqual(len(node.events("keystore.changed")), 1)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
