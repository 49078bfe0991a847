#!/usr/bin/env python3
"""A wallet's keys as its owner sees them, with real processes: listed, shown, replaced towards a contact,
suspended and renewed, marked as compromised and destroyed; and what is said where that is not possible, or
the name of a key says too little.

    keys_inventory_test.py BUILD
"""

import sys
import unittest

from acts import identity_posted, mail_ready, together
from kith_process import Workbench, run_kith, wait_for

USAGE = 2
REFUSED = 3
WRONG_STATE = 7
BUILD = "build/dev"


def keys(node, *words):
    return node.kith("keys", "list", *words)["keys"]


def of_kind(node, kind, of=None):
    return [key["id"] for key in keys(node)
            if key["kind"] == kind and of in (None, key["of"])]


def state(node, key):
    return node.kith("keys", "show", key)["state"]


class KeysInventoryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Workbench(BUILD)
        cls.bench.__enter__()
        cls.addClassCleanup(cls.bench.__exit__, None, None, None)
        mediator = cls.bench.mediator()
        cls.alice, cls.bob = together(lambda name: cls.bench.person(name, mediator),
                                      ["Alice", "Bob"])
        for person in (cls.alice, cls.bob):
            mail_ready(person)
            identity_posted(person)
        cls.alice.connect(cls.bob)

    def hears(self, text):
        self.bob.kith("send", "Alice", text)
        wait_for(f"Alice reads: {text}", lambda: self.alice.texts("Bob").count(text) == 1)

    def test_every_kind_of_key_is_there(self):
        kinds = {key["kind"] for key in keys(self.alice)}
        self.assertLessEqual({"authenticate", "agree", "log-active", "log-next", "log-recovery",
                              "agent", "vault", "audit", "link-secret"}, kinds)
        agree = of_kind(self.alice, "agree", "Bob")
        shown = self.alice.kith("keys", "show", agree[0])
        self.assertEqual(shown["state"], "active")
        self.assertEqual(shown["origin"], "made-here")
        self.assertGreater(shown["uses"], 0)
        self.assertIn("due", shown)
        self.assertEqual(self.alice.kith("keys", "show", agree[0][-12:])["id"], agree[0])
        for waiting in keys(self.alice, "--state", "pre-active"):
            self.assertIn(waiting["kind"], ("log-next", "log-recovery"))
        self.assertTrue(keys(self.bob, "--state", "destroyed"))  # Of its one-time DID.
        self.assertTrue(self.bob.events("key.destroyed"))

    def test_keys_towards_a_contact_are_replaced(self):
        old = set(of_kind(self.alice, "agree", "Bob"))
        wait_for("Bob has confirmed", lambda: self.alice.kith("keys", "rotate", "Bob"))
        fresh = set(of_kind(self.alice, "agree", "Bob")) - old
        self.assertEqual(len(fresh), 1)  # The old one opens what is under way, for a day.
        self.hears("to the new keys")
        wait_for("the new key is used",
                 lambda: self.alice.kith("keys", "show", *fresh)["uses"] > 0)
        self.alice.kith("audit", "verify")

    def test_the_agents_key_can_rest(self):
        self.alice.kith("keys", "suspend", "agent", "--reason", "out of sight")
        self.assertEqual(state(self.alice, "agent"), "suspended")
        risky = {key["id"]: key["why"] for key in self.alice.kith("keys", "at-risk")["keys"]}
        self.assertEqual(risky["agent"], ["it is suspended"])
        self.assertEqual(self.alice.refuses("keys", "suspend", "agent").exit_code, WRONG_STATE)
        self.alice.kith("keys", "renew", "agent")
        self.assertEqual(state(self.alice, "agent"), "active")

    def test_a_compromised_key_is_replaced_at_once(self):
        key = wait_for("the key of the day", lambda: next(
            (key for key in of_kind(self.alice, "authenticate", "Bob")
             if self.alice.kith("keys", "impact", key)["grants"]), None))
        impact = self.alice.kith("keys", "impact", key)
        self.assertIn({"what": "relationship", "name": "Bob"},
                      [{name: row[name] for name in ("what", "name") if name in row}
                       for row in impact["affects"]])
        self.assertTrue(impact["grants"])
        self.assertEqual(self.alice.refuses("keys", "compromised", key).exit_code, USAGE)  # Asks.
        self.assertEqual(state(self.alice, key), "active")
        marked = wait_for("Bob has confirmed", lambda: self.alice.kith(
            "keys", "compromised", key, "--reason", "seen elsewhere", "--yes"))
        self.assertEqual(len(marked["rotated"]), 1)
        self.assertEqual(state(self.alice, key), "compromised")
        self.hears("after the mark")
        self.assertEqual(self.alice.events("key.compromised")[-1]["details"]["reason"],
                         "seen elsewhere")
        again = self.alice.refuses("keys", "compromised", key, "--yes")
        self.assertEqual(again.exit_code, WRONG_STATE)

    def test_what_others_rely_on_is_not_destroyed(self):
        for kind, code in (("agree", WRONG_STATE), ("log-next", REFUSED), ("agent", REFUSED),
                           ("vault", WRONG_STATE)):
            key = next(key for key in of_kind(self.alice, kind)
                       if self.alice.kith("keys", "impact", key)["grants"])
            self.assertEqual(self.alice.refuses("keys", "destroy", key, "--yes").exit_code, code,
                             kind)
        self.assertEqual(state(self.alice, "vault"), "active")

    def test_wrong_words_are_refused(self):
        self.assertEqual(self.alice.refuses("keys", "show", "nobody-has-it").code, "not_found")
        self.assertEqual(self.alice.refuses("keys", "show", "z").code, "not_found")
        self.assertEqual(self.alice.refuses("keys", "list", "--state", "old").exit_code, USAGE)
        self.assertEqual(self.alice.refuses("keys", "show").exit_code, USAGE)
        self.assertEqual(self.alice.refuses("keys", "rotate", "Nobody").code, "peer.unknown")
        code, out, _ = run_kith(self.bench.kith, ["keys", "types"])
        self.assertEqual(code, 0)
        self.assertIn("due after: 365 days", out)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
