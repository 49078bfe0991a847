#!/usr/bin/env python3
"""Several devices of one person, as real processes: a phone adds a laptop; both have the same contacts and
texts; a change that asks for two signatures; a device is lost and taken away, and whoever has it finds its
keys worth nothing. And what is said where a code is wrong, or the new device is not fit.

    own_devices_test.py BUILD
"""

import sys
import unittest

from acts import (WRONG_CODE_EXIT, agree_to_trust, begin_setup, identity_posted, mail_ready, meet_all,
                  recovery_ready, together, wrong)
from kith_process import Workbench, wait_for

REFUSED = 3
WRONG_STATE = 7
BUILD = "build/dev"


def pairing(device):
    rows = device.kith("agent", "status")["pairings"]
    return rows[-1] if rows else {}


def agents(device):
    return {row["name"]: row for row in device.kith("agent", "list")["agents"]
            if row["state"] == "active"}


class OwnDevicesTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.host = self.server("Host", "--ledger-serve")
        self.hub = self.server("Hub", "--mediate")

    def server(self, name, kind):
        node = self.bench.node(name, passphrase=None)
        node.init("--no-identity")
        node.start("--listen", "127.0.0.1:0", kind)
        node.url = f"http://127.0.0.1:{node.ready['port']}/"
        return node

    def device(self, name, *words):
        node = self.bench.node(name)
        node.init("--mediator", self.hub.url, "--wait", "0", *words)
        node.start("--listen", "127.0.0.1:0")
        mail_ready(node)
        return node

    def person(self, name):
        node = self.device(name, "--ledger", self.host.url)
        identity_posted(node)
        return node

    def begin(self, old, new):
        """The invitation, and the codes of both."""
        url = old.kith("agent", "add", "--name", new.name)["url"]
        new.kith("agent", "accept", url)
        return wait_for(f"{new.name} shows a code", lambda: pairing(new).get("code_to_read"))

    def finish(self, old, new, shown):
        wait_for("the old device asks for the code", lambda: pairing(old).get("needs"))
        old.kith("agent", "code", shown)
        wait_for("the new device asks for the code", lambda: pairing(new).get("needs"))
        new.kith("agent", "code", pairing(old)["code_to_read"])
        wait_for("both are one person's",
                 lambda: pairing(old)["state"] == pairing(new)["state"] == "done")

    def settled(self, device, relationships):
        def known():
            listed = device.kith("agent", "list")
            return listed["relationships"] == relationships and listed["waiting"] == 0
        wait_for(f"all contacts know {device.name}", known)

    def add(self, old, new, relationships=1):
        self.finish(old, new, self.begin(old, new))
        self.settled(new, relationships)

    def test_two_devices_are_one_person(self):
        phone, bob = together(self.person, ["Phone", "Bob"])
        phone.connect(bob)
        phone.kith("send", "Bob", "from before")
        laptop = self.device("Laptop", "--no-identity")
        self.add(phone, laptop)
        self.assertEqual(set(agents(phone)), {"first device", "Laptop"})
        # Devices tell each other once a minute, and the first time one may not be ready to hear.
        wait_for("the laptop knows what it is called", lambda: "Laptop" in agents(laptop), deadline_s=150)
        self.assertTrue(agents(laptop)["Laptop"]["this_device"])
        self.assertEqual(phone.kith("identity", "check"), laptop.kith("identity", "check"))
        wait_for("texts came along", lambda: "from before" in laptop.texts("Bob"))

        laptop.kith("send", "Bob", "from the laptop")
        wait_for("Bob reads the laptop", lambda: "from the laptop" in bob.texts("Phone"))
        bob.kith("send", "Phone", "to both")
        for node in (phone, laptop):
            wait_for(f"{node.name} reads Bob", lambda node=node: "to both" in node.texts("Bob"))

        # One of them is off, and misses nothing; each has mail of its own.
        phone.stop()
        bob.kith("send", "Phone", "while the phone is off")
        wait_for("the laptop reads it", lambda: "while the phone is off" in laptop.texts("Bob"))
        laptop.stop()
        phone.start()
        wait_for("the phone reads it", lambda: "while the phone is off" in phone.texts("Bob"))
        self.assertEqual(phone.texts("Bob").count("to both"), 1)

        # The phone is lost. Whoever has it has its passphrase too.
        phone.stop()
        laptop.start()
        taken = laptop.kith("agent", "revoke", "first device", "--yes")
        self.assertEqual((taken["relationships"], "problems" in taken), (1, False))
        wait_for("Bob knows", lambda: len(bob.events("log.taken")) >= 2)
        bob.kith("send", "Phone", "for the laptop alone")
        wait_for("the laptop reads on", lambda: "for the laptop alone" in laptop.texts("Bob"))
        phone.start()
        wait_for("the phone learns that it is out", lambda: phone.events("agent.left-out"), 60)
        phone.kith("send", "Bob", "from the thief")
        laptop.kith("send", "Bob", "from the owner")
        wait_for("Bob reads the owner", lambda: "from the owner" in bob.texts("Phone"))
        self.assertNotIn("from the thief", bob.texts("Phone"))
        self.assertNotIn("for the laptop alone", phone.texts("Bob"))
        self.assertEqual(set(agents(laptop)), {"Laptop"})
        self.assertEqual(laptop.events("identity.foreign-entry"), [])

    def open_proposal(self, device):
        rows = device.kith("policy", "proposals")["proposals"]
        return next((row["id"] for row in rows if row["state"] == "open"), None)

    def test_a_recovery_set_that_two_devices_must_sign(self):
        phone, bob, carol = together(self.person, ["Phone", "Bob", "Carol"])
        meet_all(phone, [bob, carol])
        laptop = self.device("Laptop", "--no-identity")
        self.add(phone, laptop, relationships=2)
        phone.kith("policy", "propose", "--rule", "admin=2", "--yes")
        wait_for("two must sign", lambda: phone.kith("policy", "show")["rules"]["admin"] == 2)

        def ask():
            begin_setup(phone, [bob, carol], 2)
            together(lambda trustee: agree_to_trust(trustee, "Phone"), [bob, carol])
            return wait_for("the laptop is asked", lambda: self.open_proposal(laptop))

        laptop.kith("policy", "reject", ask())
        wait_for("the set came to nothing",
                 lambda: phone.kith("recovery", "status")["state"] == "none")
        self.assertEqual(len(phone.events("recovery.set-given-up")), 1)
        self.assertNotIn("set", phone.kith("policy", "show"))

        asked = ask()
        missing = phone.kith("recovery", "status")["missing"]
        self.assertTrue(any(f"kith policy approve {asked}" in text for text in missing), missing)
        laptop.kith("policy", "approve", asked, "--yes")
        recovery_ready(phone)
        self.assertIn("set", laptop.kith("policy", "show"))

    def test_wrong_codes_and_unfit_devices(self):
        phone = self.person("Phone")
        laptop = self.device("Laptop", "--no-identity")
        shown = self.begin(phone, laptop)
        wait_for("the phone asks for the code", lambda: pairing(phone).get("needs"))
        self.assertEqual(laptop.refuses("agent", "code", wrong(shown)).exit_code, WRONG_STATE)
        typed = phone.kith("agent", "code", wrong(shown), also=(WRONG_CODE_EXIT,))
        self.assertEqual((typed["code_ok"], typed["tries_left"]), (False, 2))
        self.assertNotIn("code_to_read", pairing(phone), "shown only after the right one was typed")
        self.finish(phone, laptop, shown)

        own = phone.kith("agent", "add")["url"]
        self.assertIn("agent accept", laptop.refuses("accept", own, "--wait", "0").message)
        refusal = laptop.refuses("agent", "accept", own)
        self.assertIn("identity of its own", refusal.message)
        self.assertIn("kith agent add", self.device("Tablet", "--no-identity").refuses(
            "agent", "accept", phone.kith("invite")["url"]).message)
        # Devices tell each other once a minute, and the first time one may not be ready to hear.
        wait_for("the laptop knows what it is called", lambda: "Laptop" in agents(laptop), deadline_s=150)
        self.assertEqual(laptop.refuses("agent", "revoke", "Laptop", "--yes").exit_code, REFUSED)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = sys.argv.pop(1)
    unittest.main()
