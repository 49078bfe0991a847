#!/usr/bin/env python3
"""Commands without a running node, when the mediator is gone: each waits for what it began itself, and
for nothing else; a person at the terminal hears whom it waits for.

    waiting_test.py BUILD
"""

import os
import signal
import sys
import time

from kith_process import Workbench, wait_for
from terminal_test import Terminal

SETTLE_MAX_S = 30  # Session's: what a command waits for its own at most.
SOON_S = SETTLE_MAX_S / 2


def registered(person):
    return wait_for(f"{person.name} is served by its mediator",
                    lambda: person.kith("status").get("mediator", {}))


def seconds_of(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator()
        alice, bob = (bench.person(name, mediator, passphrase=None) for name in ("Alice", "Bob"))
        for person in (alice, bob):
            registered(person)
        alice.connect(bob)
        alice.stop()
        mediator.kill()
        place = mediator.url.split("//")[1].rstrip("/")

        # What it began itself keeps it, and it says so; who interrupts it loses nothing.
        sending = Terminal(bench.kith, *[word for word in alice.words("send", "Bob", "are you there?")
                                         if word != "--json"])
        begin = time.monotonic()
        sending.expect("Waiting for " + place)
        assert time.monotonic() - begin < SOON_S, "it said so too late"
        os.kill(sending.process.pid, signal.SIGKILL)
        sending.end()
        assert "are you there?" in alice.texts("Bob")

        # That message is open now, and no matter of these commands.
        for words in (["contacts"], ["status"], ["did", "show"], ["messages", "Bob"], ["policy", "show"]):
            taken = seconds_of(lambda words=words: alice.kith(*words))
            assert taken < SOON_S, f"kith {' '.join(words)} took {taken:.0f} s"

        # It leaves when the mediator is back.
        mediator.start()
        alice.start()
        wait_for("Bob reads it", lambda: "are you there?" in bob.texts())
    print("commands waited for their own work alone")


if __name__ == "__main__":
    main(sys.argv[1])
