#!/usr/bin/env python3
"""`kith recovery plan`: what a plan means, in words and for programs, and what is wrong with it. The plan
of docs/recovery-plans.md is among them."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

KITH = Path(sys.argv.pop(1)) / "kith"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "recovery-plans.md"


def kith(*words, text="", code=0):
    done = subprocess.run([KITH, "recovery", "plan", *words], input=text, capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == code, (text, done.returncode, done.stderr)
    return done.stdout if done.stdout else done.stderr


def judged(text, code=0):
    return json.loads(kith("--json", text=text, code=code))


class Plans(unittest.TestCase):
    def test_the_plan_of_the_manual(self):
        text = re.search(r"```\n(# Two of.*?)```", PAGE.read_text(), re.DOTALL).group(1)
        found = judged(text)
        self.assertEqual(found["plan"], '2 of (Anna, Ben, all of (Clara, "Dora of the choir"))')
        self.assertEqual((found["holders"], found["enough"], found["losses_survived"], found["ways"]), (4, 2, 1, 3))
        self.assertEqual(found["together"], ["Anna, Ben", "Anna, Clara, Dora of the choir",
                                             "Ben, Clara, Dora of the choir"])
        self.assertEqual((found["faults"], found["safe"]), ([], True))

    def test_every_fault_of_the_manual_is_found(self):
        plans = {"one_is_enough": "1 of (a, b, c)", "no_loss": "all of (a, b)",
                 "one_is_needed": "all of (a, 2 of (b, c, d))", "two_are_enough": "2 of (a, b, c, d, e)",
                 "somebody_useless": "4 of (a weight 2, b weight 2, c)"}
        told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
        self.assertEqual(told, list(plans))
        for code, text in plans.items():
            found = judged(text, 3 if code == "one_is_enough" else 0)
            self.assertIn(code, [fault["code"] for fault in found["faults"]])
            self.assertEqual(found["safe"], code != "one_is_enough")

    def test_people_read_sentences(self):
        said = kith(text="2 of (Anna, Ben, Carl)")
        for part in ("The plan: 2 of (Anna, Ben, Carl)", "Of 3 holders, 2 are enough",
                     "survives the loss of any 1 holder", "  Anna, Ben\n"):
            self.assertIn(part, said)
        self.assertIn("Each of these alone could take your identity over: Anna, the paper safe",
                      kith(text="1 of (Anna, paper safe)", code=3))

    def test_what_is_no_plan_is_said(self):
        self.assertIn("line 2: here should be ), and not Ben", kith(text="2 of (Anna\nBen)", code=1))
        self.assertIn("line 1", kith(text="", code=1))
        kith("/nowhere/plan.txt", code=1)


if __name__ == "__main__":
    unittest.main()
