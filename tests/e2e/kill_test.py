#!/usr/bin/env python3
"""SIGKILL at random moments of setup and recovery, for every process that takes part, and inside a
waiting period of five seconds. After each restart the work goes on; at the end nothing is lost and
nothing happened twice. Commands that hold the home themselves are killed half-way and said again.

A run has one victim. Commands wait while it is down, as a person would; everything else goes on.
The seed is printed and can be given as the second argument. KITH_LONG=1: 50 kills a victim.

The counter-example is a node that acknowledges what it has not written: it loses what it promised.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import acts
from kith_process import NotYet, Workbench, wait_for

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


def setup_phase(alice, bob, trustees, killer):
    with killer:
        acts.meet_all(alice, [bob, *trustees], DEADLINE_S)
        for number in range(3):
            alice.kith("send", "Bob", f"text {number}")
            bob.kith("send", "Alice", f"reply {number}")
        acts.set_up_recovery(alice, trustees, 2, DEADLINE_S)
    check_texts(alice, bob, [f"{kind} {number}" for kind in ("text", "reply") for number in range(3)])
    check_contacts(alice, ["Bob", *TRUSTEES])
    for trustee in trustees:
        check_share(trustee, alice.name)


def check_texts(one, other, texts, deadline_s=DEADLINE_S):
    """Both have all of them, each once."""
    check_read(one, other.label, texts, deadline_s)
    check_read(other, one.label, texts, deadline_s)


def check_read(reader, contact, texts, deadline_s=DEADLINE_S):
    wait_for(f"{reader.name} has all texts", lambda: set(texts) <= set(reader.texts(contact)), deadline_s)
    got = sorted(reader.texts(contact))
    assert got == sorted(texts), f"texts were lost or doubled at {reader.name}: {got}"


def check_contacts(person, names):
    contacts = [one for one in person.kith("contacts")["contacts"] if one["role"] == "person"]
    assert sorted(one["name"] for one in contacts) == sorted(names), contacts
    assert all(one["state"] == "connected" for one in contacts), contacts


def check_share(trustee, owner_name):
    held = [one for one in trustee.kith("trustee", "list")["trustees_of"]
            if one["contact"] == owner_name]
    assert len(held) == 1, f"{trustee.name} holds for {owner_name}: {held}"
    committed = [one for one in held[0]["versions"] if one["state"] == "committed"]
    assert len(committed) == 1 and committed[0]["present"], held


def recovery_phase(device, bob, trustees, owner_name, killer):
    before = bob.texts(owner_name)
    with killer:
        device.kith("recover", "start")
        for trustee in trustees[:2]:
            acts.ask_trustee(device, trustee, owner_name)
        for trustee in trustees[:2]:
            acts.exchange_codes(device, trustee, owner_name, DEADLINE_S)
        for trustee in trustees[:2]:
            acts.answered(device, trustee.name, DEADLINE_S)
        status = acts.finish_recovery(device, DEADLINE_S)
        device.kith("send", "Bob", "I am back")
    check_read(bob, owner_name, [*before, "I am back"])
    assert not status["blamed"], f"an honest trustee was named: {status['blamed']}"


def stage(bench):
    mediator = bench.mediator()
    alice = bench.person("Alice", mediator)
    bob, *trustees = acts.together(
        lambda name: bench.person(name, mediator, "--no-identity", passphrase=None), ["Bob", *TRUSTEES])
    acts.together(acts.mail_ready, [alice, bob, *trustees])
    acts.identity_posted(alice)
    return mediator, alice, bob, trustees


def new_device(bench, mediator):
    device = bench.node("Alice-2", label="Alice")
    device.init("--no-identity", "--mediator", mediator.url, "--wait", "0")
    device.start()
    acts.mail_ready(device)
    return device


def lose(person):
    before = person.kith("did", "show")["did"]
    person.kill()
    return before


def check_end(device, did, everyone, names=("Bob", *TRUSTEES)):
    assert device.kith("did", "show")["did"] == did
    check_contacts(device, names)
    for person in everyone:
        assert person.kith("audit", "verify")["entries"] > 0


def run_with_victim(build, role, kills, rng):
    """One setup and one recovery; returns how often the victim was killed."""
    with Workbench(build) as bench:
        mediator, alice, bob, trustees = stage(bench)
        cast = {"mediator": mediator, "owner": alice, "bob": bob, "trustee": trustees[0]}
        quiet = Killer(mediator, 0, rng)
        first = Killer(cast[role], (kills + 1) // 2, rng) if role in cast else quiet
        setup_phase(alice, bob, trustees, first)
        did = lose(alice)
        device = new_device(bench, mediator)
        cast["device"] = device
        second = Killer(cast[role], kills - first.done, rng) if role != "owner" else quiet
        recovery_phase(device, bob, trustees, "Alice", second)
        check_end(device, did, [mediator, device, bob, *trustees])
        return first.done + second.done


def run_waiting(build, rng):
    """Kills inside the waiting period: it neither ends early nor starts again."""
    with Workbench(build) as bench:
        mediator, alice, _, trustees = stage(bench)
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
        check_end(device, did, [mediator, device, *trustees], TRUSTEES)
        print(f"waiting period: four kills inside it, answered after {waited:.1f} s")


# Commands that hold the home themselves

SITES = ("commit-before", "commit-after", "effect")


def dies_at(node, site, nth, *words):
    """Says a command that is to die at a place: True if it did, False if it never came there."""
    done = subprocess.run([str(node.bench.kith), *node.words(*words)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=False,
                          env={**os.environ, "KITH_CRASH_AT": f"{site}:{nth}"})
    node.bench.note(node.name, list(words), done.returncode, done.stdout, done.stderr)
    if done.returncode == -signal.SIGKILL:
        return True
    assert done.returncode == 0, f"kith {words[0]}: exit {done.returncode}: {done.stderr}"
    return False


def places(rng):
    """Places to die at: (site, how manieth), the first few of each and some later ones."""
    return [(site, nth) for site in SITES for nth in (1, 2, 3, rng.randint(4, 9), rng.randint(10, 20))]


def killed_init(build, rng):
    """`kith init` dies anywhere; said again, it comes to its end, and the wallet is like any other."""
    with Workbench(build) as bench:
        mediator = bench.mediator()
        base = ["init", "--name", "Alice", "--test", "--mediator", mediator.url, "--ledger", mediator.url]
        died = 0
        for site, nth in places(rng):
            # Each passphrase takes a fifth of a second, many times; one place a site shows what it changes.
            passphrase, words = ({}, base) if nth == 2 else ({"passphrase": None}, [*base, "--no-passphrase"])
            node = bench.node(f"{site}-{nth}", label="Alice", **passphrase)
            if not dies_at(node, site, nth, *words):
                continue
            died += 1
            reply = node.kith(*words)
            assert reply["mediator"] == "connected" and reply["identity"]["state"] == "posted", reply
            assert node.refuses(*words).code == "state.wrong"
            assert len(node.kith("contacts")["contacts"]) == 1, "one mediator, once"
            node.kith("did", "rotate", "--yes")  # The vault opens, its next keys are there.
        assert died >= 6, f"init died {died} times only"
        print(f"kith init: killed at {died} places, said again", flush=True)


def die_until_done(node, rng, *words):
    """One command, killed at one place after the other; each time it is said again."""
    died = 0
    for site, nth in places(rng):
        died += dies_at(node, site, nth, *words)
    return died


def killed_setup_and_finish(build, rng):
    """`recovery setup` and `recover finish`, without a running node to do the work."""
    with Workbench(build) as bench:
        mediator, alice, bob, trustees = stage(bench)
        acts.meet_all(alice, [bob, *trustees], DEADLINE_S)
        alice.stop()
        setup = ["recovery", "setup", "--threshold", "2", "--waiting", "test", "--wait", "0",
                 "--trustees", ",".join(TRUSTEES)]
        died = die_until_done(alice, rng, *setup)
        assert died >= 3, f"recovery setup died {died} times only"
        alice.kith(*setup)
        alice.start()
        acts.together(lambda one: acts.agree_to_trust(one, "Alice", DEADLINE_S), trustees)
        acts.recovery_ready(alice, DEADLINE_S)
        for trustee in trustees:
            check_share(trustee, "Alice")
        print(f"kith recovery setup: killed {died} times, said again", flush=True)

        did = lose(alice)
        device = new_device(bench, mediator)
        device.kith("recover", "start")
        for trustee in trustees[:2]:
            acts.ask_trustee(device, trustee, "Alice")
            acts.exchange_codes(device, trustee, "Alice", DEADLINE_S)
        for trustee in trustees[:2]:
            acts.answered(device, trustee.name, DEADLINE_S)
        wait_for("enough answers", lambda: device.kith("recover", "status")["can_finish"], DEADLINE_S)
        device.stop()
        died = die_until_finished(device, rng)
        assert died >= 3, f"recover finish died {died} times only"
        device.start()
        wait_for("everything is taken over",
                 lambda: device.kith("recover", "status")["state"] == "recovered", DEADLINE_S)
        device.kith("send", "Bob", "I am back")
        check_read(bob, "Alice", ["I am back"])
        check_end(device, did, [mediator, device, bob, *trustees])
        print(f"kith recover finish: killed {died} times, said again", flush=True)


def die_until_finished(device, rng):
    died = 0
    for site, nth in places(rng):
        if device.kith("recover", "status")["state"] == "recovered":
            break
        died += dies_at(device, site, nth, "recover", "finish", "--yes")
    return died


# The counter-example

def texts_across_kills(build, fault=None, deadline_s=DEADLINE_S):
    """The sender is killed right after each acknowledgement."""
    with Workbench(build) as bench:
        mediator = bench.mediator()
        options = {"environment": {"KITH_FAULT": fault}, "program": bench.faulty} if fault else {}
        alice, bob = acts.together(lambda name: bench.person(name, mediator, "--no-identity"),
                                   ["Alice", "Bob"])
        acts.together(acts.mail_ready, [alice, bob])
        alice.connect(bob)
        alice.stop()
        alice.program = options.get("program", alice.program)
        alice.environment = {**os.environ, **options.get("environment", {})}
        alice.start()
        texts = [f"text {number}" for number in range(3)]
        for text in texts:
            alice.kith("send", "Bob", text)
            alice.kill()
            alice.start()
        check_texts(alice, bob, texts, deadline_s)


def check_counter_example(build):
    texts_across_kills(build)
    try:
        texts_across_kills(build, "early-ack", deadline_s=8)
    except (AssertionError, NotYet) as error:
        assert "all texts" in str(error) or "lost or doubled" in str(error), error
        print(f"a node that acknowledges too early is caught: {error}", flush=True)
    else:
        raise AssertionError("a node that acknowledges too early was not caught")


def main(build, seed=None):
    seed = seed or str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    check_counter_example(build)
    killed_init(build, random.Random(f"{seed} init"))
    killed_setup_and_finish(build, random.Random(f"{seed} commands"))
    for role in ("mediator", "owner", "bob", "trustee", "device"):
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
