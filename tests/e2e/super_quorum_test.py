#!/usr/bin/env python3
"""A last resort, as real processes: people are asked, one declines and another takes the place, it is put into
force and survives a restart of all; what is said before that, and where nobody has taken anything.

    super_quorum_test.py BUILD

Taking an identity back needs waiting times that only programs can choose: recovery/SuperQuorum has that.
"""

import sys
import unittest

from acts import identity_posted, mail_ready, together
from kith_process import Workbench, wait_for

USAGE = 2
WRONG_STATE = 7
BUILD = "build/dev"


class SuperQuorumTest(unittest.TestCase):
    def setUp(self):
        self.bench = Workbench(BUILD)
        self.bench.__enter__()
        self.addCleanup(self.bench.__exit__, None, None, None)
        self.mediator = self.bench.mediator()

    def offer(self, holder):
        """What Alice asks of this person."""
        return wait_for(f"{holder.name} is asked", lambda: next(
            (one for one in holder.kith("trustee", "requests")["offers"]
             if one["capabilities"] == ["SUPER_QUORUM"]), None))

    def held(self, holder):
        rows = holder.kith("trustee", "list")["last_resort_of"]
        return rows[0]["state"] if rows else ""

    def state_of(self, name):
        rows = self.alice.kith("recovery", "super-status").get("holders", [])
        return next((row["state"] for row in rows if row["contact"] == name), "")

    def test_people_hold_it_together(self):
        self.alice = self.bench.person("Alice", self.mediator)
        names = ["Bob", "Carol", "Dave"]
        bob, carol, dave = people = together(
            lambda name: self.bench.person(name, self.mediator, "--no-identity"), names)
        together(mail_ready, [self.alice, *people])
        identity_posted(self.alice)
        for person in people:
            self.alice.connect(person)

        def choose(threshold, *who):
            return "recovery", "super-setup", "--threshold", threshold, "--holders", ",".join(who)

        status = self.alice.kith("recovery", "super-status")
        self.assertEqual(status["state"], "none")
        self.assertIn("super-setup", status["words"])
        self.assertEqual(self.alice.refuses(*choose(1, "Bob", "Carol")).exit_code, USAGE)
        self.assertEqual(self.alice.refuses("recovery", "super-cancel").exit_code, WRONG_STATE)

        self.alice.kith(*choose(2, "Bob", "Carol"), "--text", "In case of thieves")
        found = self.offer(bob)
        self.assertEqual((found["contact"], found["text"]), ("Alice", "In case of thieves"))
        bob.kith("trustee", "accept", found["id"])
        carol.kith("trustee", "decline", self.offer(carol)["id"], "--reason", "Not me")
        wait_for("Alice hears both", lambda: (self.state_of("Bob"), self.state_of("Carol")) ==
                 ("agreed", "declined"))
        refusal = self.alice.refuses("recovery", "super-confirm", "--yes")
        self.assertIn("Carol declined", refusal.message)
        self.alice.kith(*choose(2, "Bob", "Dave"))
        self.assertEqual(self.state_of("Bob"), "agreed", "who has agreed is not asked again")
        dave.kith("trustee", "accept", self.offer(dave)["id"])
        wait_for("Dave has agreed", lambda: self.state_of("Dave") == "agreed")
        self.assertEqual(self.alice.refuses("recovery", "super-confirm").exit_code, USAGE)
        self.alice.kith("recovery", "super-confirm", "--yes")
        wait_for("both have looked it up", lambda: (self.state_of("Bob"), self.state_of("Dave")) ==
                 ("confirmed", "confirmed"), 90)
        self.assertEqual(self.held(bob), "confirmed")
        self.assertEqual(self.held(carol), "")

        for person in (self.alice, bob, dave):
            person.stop()
            person.start()
        self.assertEqual(self.alice.kith("recovery", "super-status")["state"], "in-force")
        self.assertEqual(self.held(dave), "confirmed")
        refusal = self.alice.refuses("recovery", "super-start", "--yes")
        self.assertEqual(refusal.exit_code, WRONG_STATE)
        self.assertIn("nothing to take back", refusal.message)
        self.assertEqual(self.alice.refuses("recovery", "super-stop").exit_code, WRONG_STATE)
        self.assertEqual(self.alice.refuses("did", "veto", "--yes").exit_code, WRONG_STATE)
        self.assertEqual(self.alice.events("identity.foreign-entry"), [])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = sys.argv.pop(1)
    unittest.main()
