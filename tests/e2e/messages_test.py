#!/usr/bin/env python3
"""The first chapter alone: a mediator, two people, an invitation, a ping, texts in both directions,
also to somebody who is away; and no process stays behind."""

import sys

from acts import identity_posted, mail_ready, together
from kith_process import Workbench, child_processes, wait_for


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator()
        alice, bob = together(lambda name: bench.person(name, mediator), ["Alice", "Bob"])
        for person in (alice, bob):
            mail_ready(person)
            identity_posted(person)
        alice.connect(bob)
        assert alice.kith("ping", "Bob")["answered"]
        assert bob.kith("ping", "Alice")["answered"]
        alice.kith("send", "Bob", "first")
        bob.kith("send", "Alice", "second")
        wait_for("Bob reads", lambda: bob.texts("Alice").count("first") == 1)
        wait_for("Alice reads", lambda: alice.texts("Bob").count("second") == 1)

        bob.stop()
        alice.kith("send", "Bob", "while you were away")
        bob.start()
        wait_for("Bob reads after his return",
                 lambda: bob.texts("Alice").count("while you were away") == 1)

        # Without a running node a command does the same by itself, and leaves when it has sent.
        bob.stop()
        bob.kith("send", "Alice", "without a running node")
        wait_for("Alice reads it", lambda: alice.texts("Bob").count("without a running node") == 1)
        bob.start()

        document = alice.kith("did", "resolve", bob.kith("did", "show")["did"])
        assert document["state"] == "done", document
        for person in (alice, bob, mediator):
            assert person.kith("audit", "verify")["entries"] > 0
            assert person.kith("contacts")["contacts"]
            person.stop()
    left = child_processes()
    assert not left, f"processes left behind: {left}"
    print("messages: as told")


if __name__ == "__main__":
    main(sys.argv[1])
