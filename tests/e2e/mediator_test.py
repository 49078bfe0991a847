#!/usr/bin/env python3
"""A mediator as its operator runs it: configuration file, numbers, an orderly end, and the commands of
docs/running-a-mediator.md, as far as they can be run without root.

    mediator_test.py BUILD
"""

import base64
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

from kith_process import Refused, Workbench, run_kith, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "running-a-mediator.md"
CONTAINERFILE = ROOT / "packaging" / "Containerfile"
BUILD = None
# In every Debian, or part of every C++ program's base.
BASE_PACKAGES = {"libc6", "libgcc-s1", "libstdc++6"}


def sh_commands(text):
    """The commands of all ```sh blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def unknown_words(commands, help_of):
    """Options of `kith` commands that the program does not have."""
    found = []
    for line in commands:
        words = shlex.split(line)
        if words[:3] == ["sudo", "-u", "kith"]:
            words = words[3:]
        if words[0] != "kith" and words[:2] != ["podman", "run"]:
            continue
        at = max(i for i, word in enumerate(words) if word == "kith")
        rest = words[at + 1:]
        names = [word for word in rest if not word.startswith("-")][:1]
        if not names:
            continue
        help_text = help_of(names[0])
        found += [f"{names[0]} {word}" for word in rest
                  if word.startswith("--") and word not in help_text]
    return found


def metrics(port):
    """{name with labels: value}; every line checked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    values = {}
    described = set()
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, rest = line.split(" ", 3)
            assert kind in ("HELP", "TYPE") and rest, line
            described.add(name)
            continue
        match = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"\})? (\d+)', line)
        assert match, line
        assert match[1] in described, line
        values[match[1] + (match[2] or "")] = int(match[3])
    return values


def own_address():
    """An address of this machine that is not loopback; None if there is none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def base58(data):
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = digits[rest] + text
    return text


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def invitation_of(url):
    """The invitation inside its address."""
    text = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["_oob"][0]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class ForeignClient:
    """A client that is no Kith and proves nothing: a key, `kith message`, and the published
    protocols. The key pair is Alice's of RFC 7748, section 6.1."""

    PRIVATE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    MEDIATION = "https://didcomm.org/coordinate-mediation/3.0/"
    PICKUP = "https://didcomm.org/messagepickup/3.0/"

    def __init__(self, bench, url):
        self.bench, self.url = bench, url
        name = "z" + base58(b"\xec\x01" + self.PUBLIC)
        self.did = "did:key:" + name
        self.secrets = bench.directory / "foreign.json"
        self.secrets.write_text(json.dumps([{
            "kty": "OKP", "crv": "X25519", "kid": f"{self.did}#{name}",
            "x": base64url(self.PUBLIC), "d": base64url(self.PRIVATE)}]))
        with urllib.request.urlopen(url + "invitation", timeout=10) as answer:
            self.mediator = invitation_of(json.load(answer)["url"])["from"]

    def tool(self, *words, text):
        done = subprocess.run([str(self.bench.kith), "message", *words, "--json", "--secrets",
                               str(self.secrets)], input=text, capture_output=True, text=True,
                              timeout=60, check=True)
        return done.stdout

    def ask(self, message_type, body):
        """The mediator's answer."""
        message = {"id": str(uuid.uuid4()), "typ": "application/didcomm-plain+json",
                   "type": message_type, "from": self.did, "to": [self.mediator],
                   "created_time": int(time.time()), "return_route": "all", "body": body}
        packed = self.tool("pack", "--from", self.did, "--to", self.mediator,
                           text=json.dumps(message))
        packed = json.loads(packed)
        packed = packed.get("envelope", packed)
        request = urllib.request.Request(
            self.url, data=packed.encode() if isinstance(packed, str) else json.dumps(packed).encode(),
            method="POST", headers={"Content-Type": "application/didcomm-encrypted+json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            opened = json.loads(self.tool("unpack", text=answer.read().decode()))
        return opened["message"]

    def join(self):
        return self.ask(self.MEDIATION + "mediate-request", {})["type"]

    def add(self, did):
        updates = [{"recipient_did": did, "action": "add"}]
        answer = self.ask(self.MEDIATION + "recipient-update", {"updates": updates})
        return answer["body"]["updated"][0]["result"]

    def dids(self):
        answer = self.ask(self.MEDIATION + "recipient-query", {})
        return [item["recipient_did"] for item in answer["body"]["dids"]]

    def mails(self):
        return self.ask(self.PICKUP + "status-request", {})["body"]["message_count"]


class Mediator(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)

    def server(self, config, *words):
        """A mediator of its own home with this kith.toml."""
        node = self.bench.node("Mediator", passphrase=None)
        node.init("--no-identity")
        (node.home / "kith.toml").write_text(config)
        node.start(*words)
        node.url = node.ready.get("public_url")
        return node

    def test_the_file_sets_the_node_up_and_flags_win(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\n[mediator]\nenabled = true\n'
                           '[metrics]\nlisten = "127.0.0.1:0"\n')
        self.assertTrue(node.ready["port"])
        self.assertTrue(node.ready["metrics_port"])
        with urllib.request.urlopen(node.url + "invitation", timeout=10) as answer:
            self.assertIn("_oob=", json.load(answer)["url"])
        node.stop()
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        node.start("--listen", f"127.0.0.1:{port}")
        self.assertEqual(node.ready["port"], port)

    def test_a_mistake_in_the_file_is_named_with_its_line(self):
        with self.assertRaises(Refused) as caught:
            self.server('[node]\nlisten = "127.0.0.1:0"\n\n[mediatr]\nenabled = true\n')
        self.assertEqual(caught.exception.exit_code, 2)
        self.assertIn("line 4", caught.exception.message)
        self.assertIn("mediatr", caught.exception.message)

    def test_metrics_are_for_this_machine_alone(self):
        with self.assertRaises(Refused) as caught:
            self.server('metrics.listen = "0.0.0.0:0"\n')
        self.assertIn("127.0.0.1", caught.exception.message)

    def test_numbers_count_what_happens_and_name_nobody(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nledger_serve = true\n'
                           '[mediator]\nenabled = true\n[metrics]\nlisten = "127.0.0.1:0"\n')
        port = node.ready["metrics_port"]
        before = metrics(port)
        self.assertEqual(before["kith_mail_clients"], 0)
        self.assertEqual(before['kith_mail_quota{of="clients"}'], 10000)
        self.assertGreater(before["process_resident_memory_bytes"], 1 << 20)
        alice = self.bench.person("Alice", node)
        wait_for("the client is counted", lambda: metrics(port)["kith_mail_clients"] == 1)
        after = metrics(port)
        self.assertGreater(after['kith_envelopes_total{outcome="taken"}'],
                           before['kith_envelopes_total{outcome="taken"}'])
        self.assertEqual(after['kith_envelopes_total{outcome="refused"}'], 0)
        request = urllib.request.Request(node.url, data=b"{}", method="POST", headers={
            "Content-Type": "application/didcomm-encrypted+json"})
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)
        self.assertEqual(metrics(port)['kith_envelopes_total{outcome="refused"}'], 1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        self.assertNotIn("did:", text)
        self.assertNotIn("Alice", text)
        alice.stop()

    def test_the_public_listener_shows_no_numbers(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\n[mediator]\nenabled = true\n'
                           '[metrics]\nlisten = "127.0.0.1:0"\n')
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(node.url + "metrics", timeout=10)
        self.assertEqual(caught.exception.code, 404)

    def test_new_connections_of_one_address_are_limited_as_the_file_says(self):
        address = own_address()
        if address is None:
            self.skipTest("this machine has loopback addresses alone, which are not counted")
        node = self.server('[node]\nlisten = "0.0.0.0:0"\npublic_url = "http://mail.example.org/"\n'
                           'new_connections_per_minute = 5\n[mediator]\nenabled = true\n')

        def status(host):
            with socket.create_connection((host, node.ready["port"]), timeout=10) as wire:
                try:
                    wire.sendall(b"GET /invitation HTTP/1.1\r\nHost: x\r\n\r\n")
                    return wire.recv(65536)[9:12].decode()
                except ConnectionError:  # It was closed before the request could be read.
                    return "503"
        self.assertEqual([status(address) for _ in range(7)], ["200"] * 5 + ["503"] * 2)
        self.assertEqual([status("127.0.0.1") for _ in range(7)], ["200"] * 7)

    def test_invited_people_alone_become_clients(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nledger_serve = true\n'
                           '[mediator]\nenabled = true\nadmission = "invited"\n')
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(node.url + "invitation", timeout=10)
        url = node.kith("invite", "--client", "--name", "alice")["url"]
        alice = self.bench.node("Alice")
        alice.init("--ledger", node.url, "--wait", "0")
        alice.start()
        alice.kith("accept", url, "--wait", "20")
        wait_for("Alice can be reached", lambda: alice.kith("invite")["url"])

    def test_the_owner_of_a_did_gets_it_and_its_mail_from_who_registered_it_first(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nledger_serve = true\n'
                           '[mediator]\nenabled = true\n')
        alice = self.bench.person("Alice", node)
        bob = self.bench.person("Bob", node)
        thief = ForeignClient(self.bench, node.url)
        self.assertEqual(thief.join(), thief.MEDIATION + "mediate-grant")
        # While the mediator is away, Alice makes an invitation; somebody else sees it first.
        node.stop()
        url = alice.kith("invite", "--name", "Bob", "--wait", "0")["url"]
        did = invitation_of(url)["from"]
        alice.stop()
        node.start("--listen", f"127.0.0.1:{node.ready['port']}")
        self.assertEqual(thief.add(did), "success")
        self.assertEqual(thief.dids(), [did])
        bob.kith("accept", url, "--name", "Alice", "--wait", "0")
        wait_for("Bob's mail for Alice lies with the thief", lambda: thief.mails() > 0)

        alice.start()
        alice.wait_connected("Bob")
        bob.wait_connected("Alice")
        self.assertEqual(thief.dids(), [])
        self.assertEqual(thief.mails(), 0)
        self.assertEqual(thief.add(did), "client_error")
        bob.kith("send", "Alice", "it was for you")
        wait_for("Alice reads it", lambda: "it was for you" in alice.texts())
        self.assertGreaterEqual(len(node.events("mediation.taken-over")), 1)

    def test_a_client_that_is_removed_leaves_nothing(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\n[mediator]\nenabled = true\n'
                           '[metrics]\nlisten = "127.0.0.1:0"\n')
        client = ForeignClient(self.bench, node.url)
        client.join()
        self.assertEqual(client.add("did:example:one"), "success")
        before = metrics(node.ready["metrics_port"])
        self.assertEqual((before["kith_mail_clients"], before["kith_mail_dids"]), (1, 1))
        name, = node.contacts()
        node.kith("contacts", "remove", name, "--yes")
        after = metrics(node.ready["metrics_port"])
        self.assertEqual((after["kith_mail_clients"], after["kith_mail_dids"]), (0, 0))

    def end(self, node, times=1):
        """Sends SIGTERM so many times; (exit code, seconds)."""
        began = time.monotonic()
        process, node.process = node.process, None
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
            # The next one is sent when this one has done something: two at once would be one.
            wait_for("nothing new is taken", lambda: self.takes_nothing(node.ready["port"]))
        return process.wait(timeout=30), time.monotonic() - began

    @staticmethod
    def takes_nothing(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return False
        except OSError:
            return True

    def half_request(self, node):
        """A request in progress: its body has not come whole."""
        wire = socket.create_connection(("127.0.0.1", node.ready["port"]), timeout=30)
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                     b"Expect: 100-continue\r\n"
                     b"Content-Type: application/didcomm-encrypted+json\r\n\r\n")
        begun = wire.recv(65536)
        self.assertTrue(begun.startswith(b"HTTP/1.1 100"), begun)
        return wire

    def test_sigterm_ends_an_idle_node_at_once(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\n[mediator]\nenabled = true\n')
        code, seconds = self.end(node)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5)

    def test_sigterm_takes_nothing_new_and_finishes_what_is_in_hand(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nstop_grace_s = 20\n'
                           '[mediator]\nenabled = true\n')
        wire = self.half_request(node)
        node.process.send_signal(signal.SIGTERM)
        wait_for("nothing new is taken", lambda: self.takes_nothing(node.ready["port"]))
        self.assertIsNone(node.process.poll())  # Somebody still waits for an answer.
        wire.sendall(b"{}")
        answer = wire.recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer)
        wire.close()
        process, node.process = node.process, None
        self.assertEqual(process.wait(timeout=20), 0)

    def test_the_grace_is_bounded(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nstop_grace_s = 1\n'
                           '[mediator]\nenabled = true\n')
        wire = self.half_request(node)
        code, seconds = self.end(node)
        self.assertEqual(code, 0)
        self.assertGreater(seconds, 0.9)
        self.assertLess(seconds, 8)
        wire.close()

    def test_a_second_signal_ends_it_at_once(self):
        node = self.server('[node]\nlisten = "127.0.0.1:0"\nstop_grace_s = 60\n'
                           '[mediator]\nenabled = true\n')
        wire = self.half_request(node)
        code, seconds = self.end(node, times=2)
        self.assertEqual(code, 0)
        self.assertLess(seconds, 10)
        wire.close()

    def test_a_restored_home_serves_its_clients_as_before(self):
        config = ('[node]\nlisten = "127.0.0.1:0"\nledger_serve = true\n'
                  '[mediator]\nenabled = true\n[metrics]\nlisten = "127.0.0.1:0"\n')
        node = self.server(config)
        alice = self.bench.person("Alice", node)
        port = node.ready["port"]
        wait_for("the client is counted",
                 lambda: metrics(node.ready["metrics_port"])["kith_mail_clients"] == 1)
        node.stop()
        # The page's own commands, without root, service and fixed places.
        for line in sh_commands(PAGE.read_text(encoding="utf-8")):
            if " tar " not in line:
                continue
            if "-x" in line:
                shutil.rmtree(node.home)
            place = str(node.home.parent)
            line = line.replace("sudo -u kith ", "").replace("/var/lib/kith", place)
            words = [node.home.name if word == "home" else word for word in shlex.split(line)]
            subprocess.run(words, check=True, timeout=60)
        self.assertTrue((node.home / "keystore").exists())
        self.assertTrue(node.kith("doctor")["ok"])
        node.start("--listen", f"127.0.0.1:{port}")
        self.assertEqual(metrics(node.ready["metrics_port"])["kith_mail_clients"], 1)
        bob = self.bench.person("Bob", node)
        alice.connect(bob)
        alice.kith("send", "Bob", "still here")
        wait_for("Bob reads it", lambda: "still here" in bob.texts())

    # What the page says

    def help_of(self, command):
        code, out, err = run_kith(self.bench.kith, [command, "--help"])
        self.assertEqual(code, 0, err)
        return out

    def test_the_pages_commands_exist(self):
        self.assertEqual(unknown_words(["sudo -u kith kith run --nonsense x"], self.help_of),
                         ["run --nonsense"])  # It would be seen.
        commands = sh_commands(PAGE.read_text(encoding="utf-8"))
        self.assertGreater(len(commands), 15)
        known = [line.replace("--home", "") for line in commands]  # An option of all commands.
        self.assertEqual(unknown_words(known, self.help_of), [])
        for line in commands:
            for word in shlex.split(line):
                if word.startswith(("scripts/", "packaging/")):
                    self.assertTrue((ROOT / word).exists(), line)

    def test_the_example_configuration_is_taken(self):
        text = (ROOT / "packaging" / "kith.toml").read_text(encoding="utf-8")
        text = re.sub(r'"127\.0\.0\.1:\d+"', '"127.0.0.1:0"', text)
        node = self.server(text)
        self.assertEqual(node.ready["public_url"], "https://mail.example.org/")

    def test_the_container_has_the_libraries_of_the_program(self):
        wanted = set()
        linked = subprocess.run(["ldd", str(self.bench.kith)], capture_output=True, text=True,
                                check=True).stdout
        for path in re.findall(r"=> (/\S+)", linked):
            for name in (path, str(Path(path).resolve())):
                found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
                if found.returncode == 0:
                    wanted.add(found.stdout.split(":")[0])
                    break
        if not wanted:
            self.skipTest("this system has no dpkg")
        text = CONTAINERFILE.read_text(encoding="utf-8")
        installed = set(re.findall(r"[a-z0-9.+-]+", text.split("apt-get install")[1].split("&&")[0]))
        # Debian 12's own names; what a library needs itself comes with its package. The image holds no
        # build with sanitizers.
        direct = {name for name in wanted
                  if name not in BASE_PACKAGES and not name.startswith(("libasan", "libubsan"))}
        missing = {name for name in direct if name not in installed
                   and not self.comes_with(name, installed)}
        self.assertEqual(missing, set())

    @staticmethod
    def comes_with(name, installed):
        """`name` is needed by one of the packages `installed`."""
        for package in installed:
            needs = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}", package],
                                   capture_output=True, text=True)
            if needs.returncode == 0 and re.search(rf"(^|[ ,]){re.escape(name)}([ ,(:]|$)", needs.stdout):
                return True
        return False

    def test_the_unit_is_understood_by_systemd(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("this system has no systemd-analyze")
        unit = self.bench.directory / "kith-mediator.service"
        text = (ROOT / "packaging" / "kith-mediator.service").read_text(encoding="utf-8")
        text = text.replace("/usr/bin/kith", "/bin/true")
        unit.write_text(text)

        def complaints():
            done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True,
                                  text=True, timeout=60)
            return [line for line in done.stderr.splitlines() if "kith-mediator" in line]
        self.assertEqual(complaints(), [])
        unit.write_text(text.replace("ProtectSystem=strict", "ProtectSystm=strict"))
        self.assertNotEqual(complaints(), [])  # It would be seen.


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build/dev"
    unittest.main(verbosity=2)
