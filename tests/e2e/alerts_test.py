#!/usr/bin/env python3
"""A real node raises alerts: by a program, by a service of this machine, as a notice, and hands its audit
log to a journal; `kith alerts test` says whether they arrive. Nothing that a person typed is in any of it.

    alerts_test.py BUILD
"""

import http.server
import json
import re
import socket
import stat
import sys
import threading
import unittest

from kith_process import PASSPHRASE, Refused, Workbench, wait_for

BUILD = "build/dev"
USAGE = 2
WRONG_STATE = 7
GUESS = "guessed-canary-4711"
SCRIPT = """#!/bin/sh
cat >> "$1"
env >> "$1.env"
"""


class Service(http.server.BaseHTTPRequestHandler):
    bodies = []

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class AlertsTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.alice = self.bench.node("Alice")
        self.alice.init("--no-identity", "--wait", "0")
        self.told = self.bench.directory / "told"
        self.script = self.bench.directory / "tell.sh"
        self.script.write_text(SCRIPT)
        self.script.chmod(stat.S_IRWXU)
        self.guess = self.bench.directory / "guess"
        self.guess.write_text(GUESS + "\n")
        self.guess.chmod(0o600)

    def configure(self, text):
        (self.alice.home / "kith.toml").write_text(text)

    def serve(self):
        Service.bodies = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def journal(self):
        path = self.bench.directory / "journal"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(path))
        listener.settimeout(60)
        self.addCleanup(listener.close)
        return path, listener

    def everything(self, port, journal):
        self.configure(f"""
[alerts]
failed_unlocks = ["command", "webhook", "notice"]
unlock_tries = 2
command = ["{self.script}", "{self.told}"]
webhook = "http://127.0.0.1:{port}/alerts"

[audit]
journal = "{journal}"
""")

    def guess_passphrase(self, *words):
        with self.assertRaises(Refused) as refused:
            self.alice.kith(*words, "--passphrase-file", self.guess, passphrase=False)
        self.assertEqual(refused.exception.code, "wallet.passphrase")

    def raised(self):
        text = self.told.read_text() if self.told.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def test_arrive_everywhere_and_hold_no_secret(self):
        alice = self.alice
        path, journal = self.journal()
        self.everything(self.serve(), path)
        alice.start()

        tested = alice.kith("alerts", "test")
        self.assertEqual({row["place"]: row["state"] for row in tested["places"]},
                         {"command": "ok", "webhook": "ok", "notice": "ok", "journal": "ok"})
        self.assertEqual([alert["alert"] for alert in self.raised()], ["test"])
        self.assertEqual(json.loads(Service.bodies[0])["alert"], "test")

        alice.kith("freeze")  # Alerts go on.
        for _ in range(2):
            self.guess_passphrase("thaw")
        wait_for("the program is told", lambda: len(self.raised()) == 2)
        wait_for("the service is told", lambda: len(Service.bodies) == 2)
        wait_for("the owner is told", lambda: len(
            [one for one in alice.kith("status")["notices"] if one["kind"] == "alert"]) == 2)
        alert = self.raised()[1]
        self.assertEqual((alert["alert"], alert["event"]), ("failed-unlocks", "wallet.passphrase-wrong"))
        self.assertEqual(json.loads(Service.bodies[1]), alert)

        heard = ""
        while "KITH_AUDIT_EVENT=wallet.passphrase-wrong" not in heard:
            heard += journal.recv(65536).decode()
        self.assertRegex(heard, re.compile(r"^KITH_AUDIT_N=\d+$", re.MULTILINE))
        kept = heard + self.told.read_text() + (self.bench.directory / "told.env").read_text()
        for secret in (GUESS, PASSPHRASE, str(alice.home)):
            self.assertNotIn(secret, kept + "".join(Service.bodies))

    def test_guesses_at_a_locked_node_are_told_when_it_is_unlocked(self):
        alice = self.alice
        path, _ = self.journal()
        self.everything(self.serve(), path)
        alice.start()
        alice.kith("lock")
        for _ in range(2):
            self.guess_passphrase("unlock")
        self.assertEqual(self.raised(), [])
        alice.kith("unlock")
        wait_for("the program is told", lambda: len(self.raised()) == 1)
        self.assertEqual(alice.events("wallet.passphrase-wrong")[0]["details"]["tries"], 2)

    def test_says_what_does_not_arrive(self):
        alice = self.alice
        port = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            free = nobody.getsockname()[1]
        self.everything(port, self.bench.directory / "no-journal")
        text = (alice.home / "kith.toml").read_text()
        self.configure(text.replace(str(port), str(free)).replace(str(self.script), "/nonexistent"))
        alice.start()
        tested = alice.kith("alerts", "test", also=(1,))
        self.assertEqual({row["place"]: row["state"] for row in tested["places"]},
                         {"command": "failed", "webhook": "failed", "notice": "ok", "journal": "failed"})
        alice.stop()
        self.assertEqual(alice.refuses("alerts", "test").exit_code, WRONG_STATE)
        self.configure("")
        alice.start()
        self.assertEqual(alice.refuses("alerts", "test").exit_code, WRONG_STATE)

    def test_a_service_elsewhere_is_refused(self):
        for url in ("http://10.0.0.1/", "http://localhost/", "https://127.0.0.1/"):
            self.configure(f'[alerts]\nnew_agent = ["webhook"]\nwebhook = "{url}"\n')
            with self.assertRaises(Refused) as refused:
                self.alice.start()
            self.assertEqual(refused.exception.exit_code, USAGE, url)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = sys.argv.pop(1)
    unittest.main()
