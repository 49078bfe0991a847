#!/usr/bin/env python3
"""SIGKILL at random moments of setup and recovery, for every process that takes part, and inside a
waiting period of five seconds. After each restart the work goes on; at the end nothing is lost and
nothing happened twice.

A run has one victim. Commands wait while it is down, as a person would; everything else goes on.
The seed is printed and can be given as the second argument. KITH_LONG=1: 50 kills a victim.
"""

import os
import random
import sys
import threading
import time

import acts
from kith_process import Workbench, wait_for

KILLS = 50 if os.environ.get("KITH_LONG") else 10
LONGEST_LIFE_S = 0.7
DEADLINE_S = 90
TRUSTEES = ["Carol", "Dave", "Erin"]
WAITING_S = 5


class Killer:
    """Kills and restarts its victim at random moments until it is stopped or its kills are used."""

    def __init__(self, victim, kills, rng):
        self.victim, self.left, self.rng = victim, kills, rng
        self.done = 0
        self.error = None
        self._stop = threading.Event()
        self._down = threading.RLock()
        self._thread = None
        # Commands to the victim wait until it is up again.
        plain = victim.kith

        def patient(*words, **options):
            with self._down:
                return plain(*words, **options)
        victim.kith = patient

    def __enter__(self):
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self.error:
            raise self.error

    def _run(self):
        try:
            while self.left > 0 and not self._stop.wait(self.rng.uniform(0, LONGEST_LIFE_S)):
                with self._down:
                    self.victim.kill()
                    self.victim.start()
                self.left -= 1
                self.done += 1
        except Exception as error:  # Shown by the thread that waits.
            self.error = error


def setup_phase(alice, trustees, mediator, killer):
    with killer:
        acts.meet_all(alice, trustees, DEADLINE_S)
        for number in range(3):
            alice.kith("send", trustees[0].name, f"text {number}")
        acts.set_up_recovery(alice, trustees, 2, DEADLINE_S)
    wait_for("all texts arrived", lambda: len(trustees[0].texts(alice.name)) >= 3, DEADLINE_S)
    texts = sorted(trustees[0].texts(alice.name))
    assert texts == ["text 0", "text 1", "text 2"], f"texts were lost or doubled: {texts}"
    check_contacts(alice, [*TRUSTEES], mediator)
    for trustee in trustees:
        check_share(trustee, alice.name)


def check_contacts(person, names, mediator):
    contacts = [one for one in person.kith("contacts")["contacts"] if one["role"] == "person"]
    assert sorted(one["name"] for one in contacts) == sorted(names), contacts
    assert all(one["state"] == "connected" for one in contacts), contacts


def check_share(trustee, owner_name):
    held = [one for one in trustee.kith("trustee", "list")["trustees_of"]
            if one["contact"] == owner_name]
    assert len(held) == 1, f"{trustee.name} holds for {owner_name}: {held}"
    committed = [one for one in held[0]["versions"] if one["state"] == "committed"]
    assert len(committed) == 1 and committed[0]["present"], held


def recovery_phase(device, trustees, owner_name, killer):
    with killer:
        device.kith("recover", "start")
        for trustee in trustees[:2]:
            acts.ask_trustee(device, trustee, owner_name)
        for trustee in trustees[:2]:
            acts.exchange_codes(device, trustee, owner_name, DEADLINE_S)
        for trustee in trustees[:2]:
            acts.answered(device, trustee.name, DEADLINE_S)
        status = acts.finish_recovery(device, DEADLINE_S)
    assert not status["blamed"], f"an honest trustee was named: {status['blamed']}"


def stage(bench):
    mediator = bench.mediator()
    alice = bench.person("Alice", mediator)
    trustees = acts.together(lambda name: bench.person(name, mediator, "--no-identity"), TRUSTEES)
    acts.together(acts.mail_ready, [alice, *trustees])
    acts.identity_posted(alice)
    return mediator, alice, trustees


def new_device(bench, mediator):
    device = bench.node("Alice-2")
    device.init("--no-identity", "--mediator", mediator.url, "--wait", "0")
    device.start()
    acts.mail_ready(device)
    return device


def lose(person):
    before = person.kith("did", "show")["did"]
    person.kill()
    return before


def check_end(device, did, everyone, mediator):
    assert device.kith("did", "show")["did"] == did
    check_contacts(device, TRUSTEES, mediator)
    for person in everyone:
        assert person.kith("audit", "verify")["entries"] > 0


def run_with_victim(build, role, kills, rng):
    """One setup and one recovery; returns how often the victim was killed."""
    with Workbench(build) as bench:
        mediator, alice, trustees = stage(bench)
        cast = {"mediator": mediator, "owner": alice, "trustee": trustees[0]}
        quiet = Killer(mediator, 0, rng)
        first = Killer(cast[role], (kills + 1) // 2, rng) if role in cast else quiet
        setup_phase(alice, trustees, mediator, first)
        did = lose(alice)
        device = new_device(bench, mediator)
        cast["device"] = device
        second = Killer(cast[role], kills - first.done, rng) if role != "owner" else quiet
        recovery_phase(device, trustees, "Alice", second)
        check_end(device, did, [mediator, device, *trustees], mediator)
        return first.done + second.done


def run_waiting(build, rng):
    """Kills inside the waiting period: it neither ends early nor starts again."""
    with Workbench(build) as bench:
        mediator, alice, trustees = stage(bench)
        acts.meet_all(alice, trustees, DEADLINE_S)
        acts.begin_setup(alice, trustees, 2, waiting="test-long")
        acts.together(lambda one: acts.agree_to_trust(one, "Alice", DEADLINE_S), trustees)
        acts.recovery_ready(alice, DEADLINE_S)
        did = lose(alice)
        device = new_device(bench, mediator)
        device.kith("recover", "start")
        for trustee in trustees[:2]:
            acts.ask_trustee(device, trustee, "Alice")
            acts.exchange_codes(device, trustee, "Alice", DEADLINE_S)
        approved = time.monotonic()
        for person in (trustees[0], mediator, device, trustees[0]):
            threading.Event().wait(rng.uniform(0.1, 0.8))
            person.kill()
            person.start()
        acts.answered(device, trustees[0].name, DEADLINE_S)
        waited = time.monotonic() - approved
        assert waited > WAITING_S - 1.5, f"the waiting period was cut short: {waited:.1f} s"
        acts.answered(device, trustees[1].name, DEADLINE_S)
        acts.finish_recovery(device, DEADLINE_S)
        check_end(device, did, [mediator, device, *trustees], mediator)
        print(f"waiting period: four kills inside it, answered after {waited:.1f} s")


def main(build, seed=None):
    seed = seed or str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    for role in ("mediator", "owner", "trustee", "device"):
        rng = random.Random(f"{seed} {role}")
        done = runs = 0
        begin = time.monotonic()
        while done < KILLS:
            done += run_with_victim(build, role, KILLS - done, rng)
            runs += 1
            assert runs <= KILLS, f"{role}: {runs} runs brought {done} kills only"
        print(f"{role}: {done} kills in {runs} runs, {time.monotonic() - begin:.0f} s", flush=True)
    run_waiting(build, random.Random(f"{seed} waiting"))
    print("kill: nothing lost, nothing doubled")


if __name__ == "__main__":
    main(*sys.argv[1:3])
