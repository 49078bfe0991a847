#!/usr/bin/env python3
"""The story of a lost laptop, told by real processes on this machine.

    demo_story.py BUILD_DIR [--keep]

A mediator (it also hosts the ledger), Alice, Bob and five trustees run as processes that share
nothing but sockets. Each step says what happens, checks that it did, and says how long it took. The
exit code is 0 only if every step went as told, and the whole story took at most 30 seconds, or
KITH_DEMO_LIMIT_S seconds where a machine is known to be slow or busy. --keep leaves the homes for a
look around.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "e2e"))

import acts  # noqa: E402
from kith_process import PASSPHRASE, Refused, Workbench, wait_for  # noqa: E402
from secret_search import Search  # noqa: E402

TRUSTEES = ["Carol", "Dave", "Erin", "Frank", "Grace"]
LIAR = "Grace"
LIMIT_S = 30
FIRST_TEXT = "Lunch on Thursday at the harbour?"
SECOND_TEXT = "It is me again, from a new laptop."
THIEF_TEXT = "Hello Bob, this is really Alice."


class Story:
    """Numbered steps, each with its time."""

    def __init__(self):
        self.begin = time.monotonic()
        self.step_begin = self.begin
        self.number = 0

    def step(self, sentence):
        self.number += 1
        self.step_begin = time.monotonic()
        print(f"\n{self.number:2}. {sentence}", flush=True)

    def tell(self, sentence):
        print(f"    {sentence}", flush=True)

    def done(self):
        print(f"    ({time.monotonic() - self.step_begin:.1f} s)", flush=True)

    def check(self, holds, what):
        if not holds:
            raise AssertionError(f"step {self.number} did not go as told: {what}")

    def seconds(self):
        return time.monotonic() - self.begin


def open_the_stage(bench, story):
    story.step("A mediator starts. It keeps mail and sealed backups for others, and hosts the ledger.")
    mediator = bench.mediator()
    story.tell(f"It listens at {mediator.url}")
    story.done()

    story.step("Alice, Bob and five friends each make a wallet of their own.")
    # Frank and the rest need no public identity to be trustees; Alice and Bob have one.
    names = ["Alice", "Bob", *TRUSTEES]

    def arrive(name):
        program = bench.faulty if name == LIAR else None
        words = [] if name in ("Alice", "Bob") else ["--no-identity"]
        return bench.person(name, mediator, *words, program=program)
    people = dict(zip(names, acts.together(arrive, names)))
    acts.together(acts.mail_ready, people.values())
    acts.together(acts.identity_posted, [people["Alice"], people["Bob"]])
    story.tell(f"{LIAR} runs a program that was tampered with; nobody knows yet.")
    story.tell(f"Alice's identity: {people['Alice'].kith('did', 'show')['did']}")
    story.done()
    return mediator, people


def meet(story, people):
    alice, bob = people["Alice"], people["Bob"]
    story.step("Alice meets Bob and the five: one invitation each.")
    acts.meet_all(alice, [bob] + [people[name] for name in TRUSTEES])
    ping = alice.kith("ping", "Bob")
    story.check(ping["answered"], "Bob answers a ping")
    story.tell(f"Bob answers a ping after {ping['round_trip_ms']} ms.")
    alice.kith("send", "Bob", FIRST_TEXT)
    wait_for("Bob reads the text", lambda: FIRST_TEXT in bob.texts("Alice"))
    story.tell(f'Bob reads: "{FIRST_TEXT}"')
    story.done()


def people_known(person):
    """Contacts by name, with the identifier of each; the mediator is no person."""
    return {name: contact["their_did"] for name, contact in sorted(person.contacts().items())
            if contact["role"] == "person"}


def prepare(story, people):
    alice = people["Alice"]
    story.step("Alice sets recovery up: any three of the five can give her back her keys.")
    status = acts.set_up_recovery(alice, [people[name] for name in TRUSTEES], 3)
    story.check(len(status["trustees"]) == 5 and status["threshold"] == 3, "3 of 5 are set up")
    story.tell("All five hold a share; the backup is stored at the mediator and was read back.")
    story.tell(f"Recovery status: {status['state']}. Words to recognise her by: {status['words']}")
    story.done()
    before = {"did": alice.kith("did", "show")["did"],
              "contacts": people_known(alice),
              "link": alice.kith("identity", "check")["link_secret"],
              "texts": alice.texts("Bob")}
    return before


def lose(bench, story, alice):
    story.step("Alice's laptop is gone: its process gets SIGKILL, its home is deleted.")
    alice.kill()
    stolen = bench.node("Finder")
    shutil.copytree(alice.home, stolen.home, ignore=shutil.ignore_patterns("control.sock"))
    shutil.rmtree(alice.home)
    story.check(not alice.home.exists(), "the home is deleted")
    story.tell("Somebody finds the laptop, and with it a note of her passphrase.")
    story.done()
    return stolen


def recover(bench, story, people, mediator):
    story.step("Alice takes a new laptop and asks her friends, one after the other, by video call.")
    device = bench.node("Alice-2", passphrase="an entirely new passphrase")
    device.init("--no-identity", "--mediator", mediator.url, "--wait", "0")
    device.start()
    acts.mail_ready(device)
    device.kith("recover", "start")
    acts.approve_all(device, [people["Carol"], people["Dave"]], "Alice")
    story.tell("Carol and Dave recognise Alice; each types the code that the other reads out.")
    story.tell("Their nodes wait (days in earnest, two seconds here), then answer.")
    story.done()

    story.step("Two approvals are not enough.")
    status = device.kith("recover", "status")
    story.check(status["good_answers"] == 2 and not status["can_finish"], "two answers open nothing")
    refusal = device.refuses("recover", "finish", "--yes")
    story.check(refusal.exit_code == 5, f"finish is refused with exit code 5, not {refusal}")
    story.tell(f"kith says: {refusal.message} {refusal.hint}")
    story.done()

    story.step(f"Two more are asked: {LIAR}, whose tampered program lies, and Erin, who mistypes.")
    acts.ask_trustee(device, people[LIAR], "Alice")
    acts.exchange_codes(device, people[LIAR], "Alice")
    acts.ask_trustee(device, people["Erin"], "Alice")
    read_by_owner, read_by_trustee = acts.codes(device, people["Erin"], "Alice")
    slip = acts.type_at_trustee(people["Erin"], "Alice", acts.wrong(read_by_owner))
    story.check(not slip["code_ok"], "a wrong code is refused")
    story.tell(f"Erin types a wrong code: refused, {slip['tries_left']} tries left.")
    story.check(acts.type_at_device(device, "Erin", read_by_trustee)["code_ok"], "Alice's side")
    acts.answered(device, LIAR)
    status = device.kith("recover", "status")
    story.check(status["good_answers"] == 2 and not status["can_finish"], "a lie opens nothing")
    story.tell(f"{LIAR}'s answer is the third, and still nothing opens.")
    story.check(acts.type_at_trustee(people["Erin"], "Alice", read_by_owner)["code_ok"], "Erin's side")
    acts.answered(device, "Erin")
    story.tell("Now Erin types the right code: her answer arrives, and the backup opens.")
    story.done()
    return device


def come_back(story, people, device, before):
    story.step("Alice takes her identity back; the lost laptop loses every right.")
    status = acts.finish_recovery(device)
    blamed = [(one["trustee"], one["reason"]) for one in status["blamed"]]
    story.check([name for name, _ in blamed] == [LIAR], f"{LIAR} alone is named, not {blamed}")
    story.tell(f"Named for a false answer: {blamed[0][0]} ({blamed[0][1]}).")
    after = {"did": device.kith("did", "show")["did"], "contacts": people_known(device),
             "link": device.kith("identity", "check")["link_secret"], "texts": device.texts("Bob")}
    for what, value in before.items():
        story.check(after[what] == value, f"the same {what}: {value} became {after[what]}")
    story.tell(f"The same identity: {after['did']}")
    story.tell(f"The same contacts: {', '.join(after['contacts'])}")
    story.tell(f"The same link secret: check value {after['link']}")
    story.done()

    story.step("Bob hears from her, under new keys.")
    bob = people["Bob"]
    device.kith("send", "Bob", SECOND_TEXT)
    wait_for("Bob reads the new text", lambda: SECOND_TEXT in bob.texts("Alice"))
    story.check(bob.events("log.taken"), "Bob took the entry that replaces Alice's keys")
    story.tell(f'Bob reads: "{SECOND_TEXT}"')
    story.tell("His node checked the signed log of their relationship: the old keys are replaced.")
    story.done()


def refuse_the_finder(story, people, mediator, device, finder):
    story.step("The finder of the old laptop starts it, with the right passphrase.")
    bob = people["Bob"]
    did = device.kith("did", "show")["did"]
    refused_by_bob = len(bob.events("envelope.dropped"))
    finder.start()
    finder.kith("send", "Bob", THIEF_TEXT)
    wait_for("Bob refuses the old keys",
             lambda: len(bob.events("envelope.dropped")) > refused_by_bob)
    story.check(THIEF_TEXT not in bob.texts("Alice"), "Bob reads nothing of the finder")
    story.tell("Bob's node drops the message: its key is no longer Alice's.")

    wait_for("the mediator refuses the old keys", lambda: finder.events("mail.refused"))
    story.tell("The mediator hands out no mail to the old keys.")

    policy = device.kith("policy", "show")
    try:
        rotation = finder.kith("did", "rotate", "--yes")
    except Refused as refusal:
        story.tell(f"kith says to the finder: {refusal.message}")
    else:
        story.check(rotation["state"] == "storing", "the finder's new keys wait for a backup")
        story.tell("The finder's rotation stays on his disk: the mediator keeps no backup of his.")
    resolved = bob.kith("did", "resolve", did)
    story.check(resolved["didDocument"] == device.kith("did", "show")["document"],
                "Bob resolves Alice's own document")
    now = device.kith("policy", "show")
    story.check(now["version"] == policy["version"] and len(now["agents"]) == 1,
                f"Alice's policy names her new laptop alone: {now['agents']}")
    story.tell("The ledger's policy is unmoved.")
    finder.stop()
    story.done()


def look_back(bench, story, mediator, people, device, finder):
    story.step("Every node checks its own audit log.")
    everyone = [mediator, device, finder, *(people[name] for name in ("Bob", *TRUSTEES))]
    for person in everyone:
        entries = person.kith("audit", "verify")["entries"]
        story.check(entries > 0, f"{person.name} has an audit log")
        story.tell(f"{person.name}: {entries} entries, whole and signed.")
    story.done()

    story.step("Every home is searched for the secrets of the others.")
    search = Search({"the old passphrase": PASSPHRASE, "the new passphrase": "an entirely new passphrase",
                     "Alice's first text": FIRST_TEXT, "Alice's second text": SECOND_TEXT,
                     "the finder's text": THIEF_TEXT})
    planted = bench.directory / "planted"
    planted.mkdir()
    (planted / "leak").write_bytes(b"..." + SECOND_TEXT.encode() + b"...")
    story.check(search.in_tree(planted), "the search finds a planted secret")
    found = []
    for person in everyone:
        found += search.in_tree(person.home)
    story.check(not found, f"no home shows a secret: {found}")
    story.tell(f"{len(everyone)} homes, nothing in the clear (a planted secret was found at once).")
    story.done()


def limit_from(environment):
    """Seconds that the story may take."""
    text = environment.get("KITH_DEMO_LIMIT_S", str(LIMIT_S))
    try:
        limit_s = float(text)
    except ValueError:
        limit_s = 0
    if not 0 < limit_s < 3600:
        sys.exit(f"KITH_DEMO_LIMIT_S is a number of seconds, not {text!r}")
    return limit_s


def verdict(seconds, limit_s):
    """The exit code of a story that went as told."""
    if seconds <= limit_s:
        return 0
    print(f"error: the story took {seconds:.1f} s, and may take {limit_s:g} s.\n"
          "  Is the machine busy? Try again, or allow more with KITH_DEMO_LIMIT_S=SECONDS.",
          file=sys.stderr)
    return 1


def main():
    limit_s = limit_from(os.environ)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the directory with the programs")
    parser.add_argument("--keep", action="store_true", help="leave the homes for a look around")
    options = parser.parse_args()
    story = Story()
    with Workbench(options.build, keep=options.keep) as bench:
        mediator, people = open_the_stage(bench, story)
        meet(story, people)
        before = prepare(story, people)
        finder = lose(bench, story, people.pop("Alice"))
        device = recover(bench, story, people, mediator)
        come_back(story, people, device, before)
        refuse_the_finder(story, people, mediator, device, finder)
        look_back(bench, story, mediator, people, device, finder)
    seconds = story.seconds()
    print(f"\nThe end, after {seconds:.1f} s: Alice is herself again.", flush=True)
    return verdict(seconds, limit_s)


if __name__ == "__main__":
    sys.exit(main())
