#!/usr/bin/env python3
"""Invitations in the name of a public did:kith. Its ledger tells the keys and the address; the invited
agent looks them up, and both talk from DIDs of their own, which no ledger ever hears of. With agents
that have an address, and behind a mediator that insists on proof; and what is said where the ledger
is wrong, the log is not there, or its owner ended it.

    public_did_test.py BUILD
"""

import base64
import json
import re
import sys
import unittest
import urllib.request
from pathlib import Path

from acts import mail_ready, together
from did_web_test import invitation_from, inviter_of
from kith_process import Workbench, wait_for
from mediator_test import ForeignClient
from transports_test import free_port

SUBJECT = re.compile(rb"/ledger/log/(did(?::|%3[Aa])kith(?::|%3[Aa])[A-Za-z0-9]+)")
HISTORIES = Path(__file__).resolve().parent.parent / "ledger" / "histories"
UNREACHABLE = 4
BUILD = "build/dev"


def subjects(proxy):
    """The DIDs that anybody named to the ledger."""
    return {name.decode().replace("%3A", ":").replace("%3a", ":")
            for name in SUBJECT.findall(proxy.bytes())}


def public_did(node):
    return node.kith("did", "show")["did"]


def addresses(node):
    return node.kith("did", "show")["document"].get("service", [])


def append(ledger, entry):
    """One entry of somebody's log, as it stands, onto a ledger."""
    document = json.loads(entry)
    body = {"blob": base64.urlsafe_b64encode(entry.encode()).decode().rstrip("="),
            "expected_head": document["prev"]}
    request = urllib.request.Request(f"{ledger}ledger/log/{document['id']}",
                                     json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class PublicDidTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)

    def ledger_host(self, name="Host"):
        host = self.bench.node(name, passphrase=None)
        host.init("--no-identity")
        host.start("--listen", "127.0.0.1:0", "--ledger-serve")
        host.proxy = self.bench.proxy(host.ready["port"])
        return host

    def person(self, name, ledger):
        """With an address of its own, and an identity on that ledger."""
        node = self.bench.node(name)
        node.init("--ledger", ledger, "--wait", "0")
        port = free_port()
        node.start("--listen", f"127.0.0.1:{port}", "--public-url", f"http://127.0.0.1:{port}/")
        wait_for(f"{name} is on the ledger", lambda: node.kith("did", "show")["posted"])
        return node

    def people(self, ledger, *names):
        return together(lambda name: self.person(name, ledger), names)

    def they_talk(self, alice, bob):
        alice.wait_connected("Bob")
        bob.wait_connected("Alice")
        alice.kith("send", "Bob", "from Alice")
        bob.kith("send", "Alice", "from Bob")
        wait_for("Bob reads", lambda: "from Alice" in bob.texts("Alice"))
        wait_for("Alice reads", lambda: "from Bob" in alice.texts("Bob"))

    def relationship(self, alice, bob):
        """The DIDs of both, as both name them."""
        seen = [(node.contacts()[other][mine], node.contacts()[other][theirs])
                for node, other, mine, theirs in ((alice, "Bob", "did", "their_did"),
                                                  (bob, "Alice", "their_did", "did"))]
        self.assertEqual(seen[0], seen[1])
        return set(seen[0])

    def test_both_talk_and_no_ledger_knows(self):
        host = self.ledger_host()
        proxy = host.proxy
        alice, bob = self.people(proxy.url, "Alice", "Bob")
        public = {public_did(alice), public_did(bob)}
        self.assertEqual(inviter_of(alice.kith("invite")["url"])[:9], "did:peer:")
        self.assertEqual(addresses(alice), [], "no address is told unasked")

        made = alice.kith("invite", "--public", "--name", "Bob", "--wait", "20")
        self.assertTrue(made["posted"])
        self.assertEqual(inviter_of(made["url"]), public_did(alice))
        self.assertEqual(len(addresses(alice)), 1)
        refusal = alice.refuses("accept", made["url"], "--wait", "0")
        self.assertIn("your own", refusal.message)

        bob.kith("accept", made["url"], "--name", "Alice", "--wait", "0")
        self.they_talk(alice, bob)
        ours = self.relationship(alice, bob)
        self.assertEqual(len(ours), 2)
        self.assertFalse(ours & public)
        asked = subjects(proxy)
        self.assertLessEqual(public, asked, "the search finds what is there")
        self.assertFalse(ours & asked)
        for did in ours:
            self.assertNotIn(did.encode(), proxy.bytes())

        # The invitation was for one person; the address stays, and is not posted twice.
        version = alice.kith("did", "show")["version"]
        again = alice.kith("invite", "--public", "--wait", "20")
        self.assertEqual(inviter_of(again["url"]), public_did(alice))
        self.assertEqual(alice.kith("did", "show")["version"], version)
        self.assertEqual(len(alice.events("identity.address-published")), 1)

        # What was for the relationship alone goes on without the ledger.
        host.stop()
        alice.kith("send", "Bob", "without a ledger")
        wait_for("Bob reads", lambda: "without a ledger" in bob.texts("Alice"))

    def test_behind_a_mediator_that_insists_on_proof(self):
        mediator = self.bench.node("Mediator", passphrase=None)
        mediator.init("--no-identity")
        (mediator.home / "kith.toml").write_text("[mediator]\nrequire_proof = true\n")
        mediator.start("--listen", "127.0.0.1:0", "--mediate", "--ledger-serve")
        mediator.url = mediator.ready["public_url"]
        alice, bob = together(lambda name: self.bench.person(name, mediator), ["Alice", "Bob"])
        for node in (alice, bob):
            mail_ready(node)
            wait_for("it is on the ledger", lambda n=node: n.kith("did", "show")["posted"])
        made = alice.kith("invite", "--public", "--name", "Bob", "--wait", "20")
        endpoint = addresses(alice)[0]["serviceEndpoint"]
        self.assertEqual(endpoint["uri"], mediator.url)
        self.assertEqual(len(endpoint["routingKeys"]), 1)

        # Somebody else gets neither this DID nor another one without proof.
        thief = ForeignClient(self.bench, mediator.url)
        self.assertEqual(thief.join(), thief.MEDIATION + "mediate-grant")
        self.assertEqual(thief.add(public_did(alice)), "client_error")
        self.assertEqual(thief.add(public_did(bob)), "client_error")

        bob.kith("accept", made["url"], "--name", "Alice", "--wait", "0")
        self.they_talk(alice, bob)
        self.assertFalse(self.relationship(alice, bob) & {public_did(alice), public_did(bob)})
        self.assertEqual(thief.dids(), [])
        for node in (alice, bob):
            notices = node.kith("status")["notices"]
            self.assertEqual([one for one in notices if one["kind"] == "alarm"], [])

    def test_another_ledger_is_asked_when_it_is_named(self):
        hosts = [self.ledger_host("Near"), self.ledger_host("Far")]
        alice = self.person("Alice", hosts[1].proxy.url)
        bob = self.person("Bob", hosts[0].proxy.url)
        url = alice.kith("invite", "--public", "--name", "Bob", "--wait", "20")["url"]
        refusal = bob.refuses("accept", url, "--wait", "0")
        self.assertEqual(refusal.exit_code, UNREACHABLE)
        self.assertIn("--ledger", refusal.message)
        self.assertEqual(bob.contacts(), {})
        nobody = f"http://127.0.0.1:{free_port()}/"
        refusal = bob.refuses("accept", url, "--ledger", nobody, "--wait", "0")
        self.assertEqual(refusal.exit_code, UNREACHABLE)
        self.assertIn("--ledger", refusal.message)
        self.assertEqual(bob.contacts(), {})
        bob.kith("accept", url, "--name", "Alice", "--ledger", hosts[1].proxy.url, "--wait", "0")
        self.they_talk(alice, bob)

    def test_what_is_not_there_or_has_ended_is_said(self):
        host = self.ledger_host()
        # The direct address: with the proxy's, the log would have to name this very ledger.
        direct = f"http://127.0.0.1:{host.ready['port']}/"
        bob = self.person("Bob", host.proxy.url)
        history = json.loads((HISTORIES / "did-deactivate.json").read_text())
        genesis, update, end = [one["blob"] for one in history["blobs"][:3]]
        url = invitation_from(history["subject"])

        def refused(*words):
            refusal = bob.refuses("accept", url, *words, "--wait", "0")
            self.assertEqual(bob.contacts(), {})
            return refusal
        missing = refused("--ledger", direct)
        self.assertEqual(missing.exit_code, UNREACHABLE)
        self.assertNotIn("deactivated", missing.message)
        for entry in (genesis, update):
            append(direct, entry)
        keyless = refused("--ledger", direct)  # It is found, and has no keys to write to.
        self.assertNotIn("deactivated", keyless.message)
        self.assertNotEqual(keyless.message, missing.message)
        append(direct, end)
        ended = refused("--ledger", direct)
        self.assertEqual(ended.exit_code, UNREACHABLE)
        self.assertIn("deactivated", ended.message)
        self.assertNotIn("deactivated", refused().message)  # Not a log of Bob's own ledger.

    def test_without_address_or_ledger_no_public_invitation_is_made(self):
        host = self.ledger_host()
        alice = self.bench.node("Alice")
        alice.init("--ledger", host.proxy.url, "--wait", "0")
        alice.start()
        wait_for("Alice is on the ledger", lambda: alice.kith("did", "show")["posted"])
        version = alice.kith("did", "show")["version"]
        self.assertIn("no address", alice.refuses("invite", "--public").message)
        self.assertEqual(alice.kith("did", "show")["version"], version)
        self.assertIn("no identity", host.refuses("invite", "--public").message)

        # The ledger goes away: the invitation says that it does not work yet.
        alice.stop()
        port = free_port()
        alice.start("--listen", f"127.0.0.1:{port}", "--public-url", f"http://127.0.0.1:{port}/")
        host.stop()
        made = alice.kith("invite", "--public", "--wait", "0")
        self.assertFalse(made["posted"])
        host.start("--listen", f"127.0.0.1:{host.ready['port']}", "--ledger-serve")
        wait_for("the address is posted", lambda: alice.kith("did", "show")["posted"], 60)
        self.assertTrue(alice.kith("invite", "--public", "--wait", "20")["posted"])

        # The owner takes the address back.
        document = alice.kith("did", "show")["document"]
        self.assertEqual(len(document["service"]), 1)
        self.assertIn("--yes", alice.refuses("did", "withdraw-address").message)
        alice.kith("did", "withdraw-address", "--yes")
        wait_for("it is taken back", lambda: alice.kith("did", "show")["posted"], 60)
        self.assertEqual(alice.kith("did", "show")["document"]["service"], [])


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else BUILD
    unittest.main(verbosity=2)
