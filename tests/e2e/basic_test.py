#!/usr/bin/env python3
"""A mediator and two people as real processes; and what goes wrong in everyday life, each with its exit
code and sentence.

    basic_test.py KITH
"""

import json
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

KITH = sys.argv.pop(1) if len(sys.argv) > 1 else "build/dev/kith"
TIMEOUT_S = 90


def run(home, *words, check=None, limit_bytes=None):
    """One command with --json: (exit code, stdout document, stderr document)."""
    def small_files():
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    done = subprocess.run([KITH, *words, "--home", str(home), "--json"], capture_output=True, text=True,
                          timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, preexec_fn=small_files)
    out = json.loads(done.stdout) if done.stdout.strip() else None
    lines = done.stderr.strip().splitlines()
    err = json.loads(lines[-1])["error"] if done.returncode and lines else None
    if check is not None and done.returncode != check:
        raise AssertionError(f"kith {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, out, err


def free_port():
    """A port that nobody listens on (closed again at once)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """`kith run`; the first line says where it listens."""

    def __init__(self, home, *words, environment=None):
        self.process = subprocess.Popen([KITH, "run", "--home", str(home), "--json", *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT_S)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            raise AssertionError("the node did not start: " + self.process.communicate()[1])
        self.started = json.loads(line)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        _, err = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, err


class Home(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="kith-e2e-"))
        self.nodes = []
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self.stop_all)
        self.passphrase = self.directory / "passphrase"
        self.passphrase.write_text("correct horse battery\n")

    def stop_all(self):
        for node in self.nodes:
            node.stop()

    def make(self, name, *words):
        home = self.directory / name
        run(home, "init", "--test", "--no-passphrase", "--no-identity", *words, check=0)
        return home

    def start(self, home, *words, **options):
        node = Node(home, *words, **options)
        self.nodes.append(node)
        return node

    def refuses(self, code, exit_code, home, *words, **options):
        got, _, error = run(home, *words, **options)
        self.assertEqual((got, error and error["code"]), (exit_code, code), error)
        self.assertTrue(error["message"] and error["hint"])
        return error


class Talking(Home):
    def test_two_people_meet_through_a_mediator_and_talk(self):
        mediator = self.start(self.make("mediator"), "--listen", "127.0.0.1:0", "--mediate")
        url = mediator.started["public_url"]
        homes = {}
        for name in ("alice", "bob"):
            homes[name] = self.make(name, "--name", name.capitalize(), "--mediator", url)
            self.start(homes[name])
            self.assertIn("mediator", run(homes[name], "status", check=0)[1])
        _, invitation, _ = run(homes["alice"], "invite", "--goal", "Be friends", check=0)
        _, accepted, _ = run(homes["bob"], "accept", invitation["url"], "--wait", "60", check=0)
        self.assertEqual(accepted["state"], "connected")
        _, ping, _ = run(homes["bob"], "ping", accepted["name"], "--wait", "60", check=0)
        self.assertTrue(ping["answered"])
        run(homes["bob"], "send", accepted["name"], "Hello, Alice", check=0)
        # A ping overtaken by nothing: mail keeps its order, so its answer says that the text is there.
        run(homes["bob"], "ping", accepted["name"], "--wait", "60", check=0)
        _, read, _ = run(homes["alice"], "messages", check=0)
        self.assertEqual([text["text"] for text in read["messages"]], ["Hello, Alice"])
        self.assertGreaterEqual(run(homes["alice"], "audit", "verify", check=0)[1]["entries"], 0)
        self.assertEqual(self.nodes[1].stop()[0], 0)
        self.assertFalse(run(homes["alice"], "status", check=0)[1]["running"])


class Policy(Home):
    def test_one_device_changes_its_policy_by_itself(self):
        key = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
        home = self.directory / "home"
        run(home, "init", "--test", "--no-passphrase", "--name", "Ann", check=0)
        propose = ("policy", "propose", "--yes")
        _, made, _ = run(home, *propose, "--grant", f"{key}=PROVE", "--reason", "the TV", check=0)
        self.assertEqual(made["changes"], [f"Adds agent {key}, which may do: PROVE."])
        _, listed, _ = run(home, "policy", "proposals", check=0)
        self.assertEqual([(one["id"], one["state"]) for one in listed["proposals"]],
                         [(made["id"], "posted")])
        self.assertEqual(len(run(home, "policy", "show", check=0)[1]["agents"]), 2)
        # A key that nobody has heard of would lock its owner out.
        self.refuses("policy.refused", 3, home, *propose, "--grant", f"{key}=ADMIN", "--rule", "admin=2")
        self.refuses("policy.refused", 3, home, *propose, "--rule", "admin=2")
        self.refuses("usage", 2, home, *propose, "--rule", "admin=1")
        self.refuses("usage", 2, home, "policy", "propose", "--remove", key)  # It asks first.
        self.refuses("not_found", 1, home, "policy", "approve", "nothing", "--yes")
        self.refuses("state.wrong", 7, home, "policy", "reject", made["id"])
        run(home, *propose, "--remove", key, check=0)
        self.assertEqual(len(run(home, "policy", "show", check=0)[1]["agents"]), 1)


class Trouble(Home):
    def test_a_wrong_passphrase_is_told_from_damage(self):
        home = self.directory / "home"
        run(home, "init", "--test", "--no-identity", "--passphrase-file", str(self.passphrase), check=0)
        run(home, "status", "--passphrase-file", str(self.passphrase), check=0)
        wrong = self.directory / "wrong"
        wrong.write_text("correct horse\n")
        error = self.refuses("wallet.passphrase", 6, home, "status", "--passphrase-file", str(wrong))
        self.assertIn("Your passphrase does not open this wallet.", error["message"])
        self.refuses("wallet.step_up", 3, home, "status")
        (home / "keystore").write_bytes((home / "keystore").read_bytes()[:-1])
        self.refuses("storage.corrupt", 6, home, "status", "--passphrase-file", str(self.passphrase))

    def test_a_home_has_one_node(self):
        home = self.make("home")
        first = self.start(home)
        error = self.refuses("home.in_use", 7, home, "run")
        self.assertIn(str(first.process.pid), error["message"])
        self.assertTrue(run(home, "status", check=0)[1]["running"])

    def test_a_newer_home_is_left_alone(self):
        home = self.make("home")
        (home / "format").write_text("99\n")
        before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
        self.refuses("home.newer", 7, home, "status")
        self.refuses("home.newer", 7, home, "run")
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in home.rglob("*")})

    def test_homes_are_missing_or_there(self):
        self.refuses("home.missing", 7, self.directory / "none", "status")
        home = self.make("home")
        self.refuses("state.wrong", 7, home, "init", "--no-passphrase")

    def test_addresses_that_make_no_sense(self):
        home = self.make("home")
        self.refuses("input.url", 2, home, "accept", "http://user@host/")
        self.refuses("input.url", 2, self.directory / "new", "init", "--no-passphrase", "--mediator", "not a url")
        self.assertFalse((self.directory / "new").exists())

    def test_a_mediator_that_is_not_there(self):
        home = self.make("home")
        self.refuses("net.unreachable", 4, home, "accept", f"http://127.0.0.1:{free_port()}")

    def test_words_that_are_not_commands(self):
        self.refuses("usage", 2, self.directory, "dance")
        self.assertIn("planned", self.refuses("usage", 2, self.directory, "backup")["message"])
        self.assertIn("planned", self.refuses("usage", 2, self.directory, "recovery", "drill")["message"])
        self.refuses("usage", 2, self.make("home"), "run", "--ui", "127.0.0.1:0")
        self.refuses("usage", 2, self.make("other"), "contacts", "remove", "nobody")

    def test_a_full_disk_stops_the_node_and_loses_nothing(self):
        home = self.make("home")
        # A file may not grow at all: what a full disk looks like to a write.
        self.refuses("storage.full", 1, home, "messages", limit_bytes=0)
        run(home, "status", check=0)

    def test_a_kill_at_any_commit_leaves_a_home_that_opens(self):
        home = self.make("home")
        codes = []
        for site in ("commit-before:1", "commit-after:1", "commit-before:2"):
            environment = {**os.environ, "KITH_CRASH_AT": site}
            died = subprocess.run([KITH, "status", "--clear", "--home", str(home)], env=environment,
                                  capture_output=True, timeout=TIMEOUT_S)
            codes.append(died.returncode)
            run(home, "audit", "verify", check=0)
        self.assertIn(-signal.SIGKILL, codes)
        self.refuses("state.wrong", 7, home, "init", "--no-passphrase")


if __name__ == "__main__":
    unittest.main(verbosity=2)
