#!/usr/bin/env python3
"""Every kind of lie is named for what it is, and honest answers win whatever else arrives: two of five,
of whom three lie, each in a way of its own. The liars answer first."""

import sys

import acts
from kith_process import Workbench

LIARS = {"Grace": "bad-proof", "Heidi": "unknown-leaf", "Ivan": "malformed"}
HONEST = ["Carol", "Dave"]


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator()
        alice = bench.person("Alice", mediator)

        def arrive(name):
            options = {}
            if name in LIARS:
                options = {"program": bench.faulty, "environment": {"KITH_FAULT": LIARS[name]}}
            return bench.person(name, mediator, "--no-identity", **options)
        trustees = dict(zip([*LIARS, *HONEST], acts.together(arrive, [*LIARS, *HONEST])))
        acts.together(acts.mail_ready, [alice, *trustees.values()])
        acts.identity_posted(alice)
        acts.meet_all(alice, list(trustees.values()))
        acts.set_up_recovery(alice, list(trustees.values()), 2)
        did = alice.kith("did", "show")["did"]
        alice.kill()

        device = bench.node("Alice-2")
        device.init("--no-identity", "--mediator", mediator.url, "--wait", "0")
        device.start()
        acts.mail_ready(device)
        device.kith("recover", "start")
        acts.approve_all(device, [trustees[name] for name in LIARS], "Alice")
        status = device.kith("recover", "status")
        assert not status["can_finish"] and not status["blamed"], status
        acts.approve_all(device, [trustees[name] for name in HONEST], "Alice")
        status = acts.finish_recovery(device)
        reasons = {one["trustee"]: one["reason"] for one in status["blamed"]}
        assert sorted(reasons) == sorted(LIARS), f"named: {reasons}"
        assert len(set(reasons.values())) == len(LIARS), f"reasons do not differ: {reasons}"
        assert device.kith("did", "show")["did"] == did
        print(f"named: {reasons}")


if __name__ == "__main__":
    main(sys.argv[1])
