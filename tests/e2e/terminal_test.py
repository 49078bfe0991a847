#!/usr/bin/env python3
"""`kith init` as a person meets it, over a terminal: every question in plain words, every Enter safe,
and at its end recovery is set up, if wished, until the trustees are asked."""

import os
import pty
import re
import selectors
import subprocess
import sys
import time

import acts
from kith_process import Workbench

DEADLINE_S = 60
LATER = "kith recovery setup --threshold 2 --trustees Bob,Carol"


class Terminal:
    """A command on a terminal of its own: what it shows can be waited for, lines can be typed."""

    def __init__(self, *words):
        mine, theirs = pty.openpty()
        self.screen = mine
        self.process = subprocess.Popen([str(word) for word in words], stdin=theirs, stdout=theirs,
                                        stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.shown = ""  # Since the last `expect`.
        self.all = ""

    def _read(self, left_s):
        """False when the terminal is closed."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.screen, selectors.EVENT_READ)
            if not selector.select(left_s):
                raise AssertionError(f"no more to see; so far:\n{self.all}")
        try:
            part = os.read(self.screen, 65536).decode().replace("\r\n", "\n")
        except OSError:  # The other side has closed it.
            return False
        self.shown += part
        self.all += part
        return bool(part)

    def expect(self, pattern):
        """Waits until it shows `pattern`; returns the match and forgets what came before its end."""
        end = time.monotonic() + DEADLINE_S
        while not (found := re.search(pattern, self.shown)):
            if not self._read(max(0.0, end - time.monotonic())):
                raise AssertionError(f"ended without {pattern!r}:\n{self.all}")
        self.shown = self.shown[found.end():]
        return found

    def type(self, line=""):
        os.write(self.screen, line.encode() + b"\n")

    def end(self):
        """Its exit code."""
        end = time.monotonic() + DEADLINE_S
        while self._read(max(0.0, end - time.monotonic())):
            pass
        os.close(self.screen)
        return self.process.wait(timeout=DEADLINE_S)


def begin(bench, person, mediator):
    """`kith init`, up to the offer."""
    terminal = Terminal(bench.kith, "init", "--test", "--ledger", mediator.url, "--home", person.home)
    terminal.expect(r"What should others call you\?")
    terminal.type(person.label if person.label != "nobody" else "")
    terminal.expect("Address of a mediator")
    terminal.type(mediator.url)
    terminal.expect("Choose a passphrase")
    secret = person.passphrase_file.read_text().strip()
    terminal.type(secret)
    terminal.expect("The same once more")
    terminal.type(secret + " not")
    terminal.expect("two different ones")
    for _ in range(2):
        terminal.expect("passphrase|The same once more")
        terminal.type(secret)
    terminal.expect("Choose them now")
    assert secret not in terminal.all, "the passphrase was shown"
    return terminal


def check_enters(bench, mediator):
    """Enter, wherever it is asked, leaves a wallet that works and nothing begun."""
    nobody = bench.node("Nobody", label="nobody")
    terminal = begin(bench, nobody, mediator)
    terminal.type()
    terminal.expect("kith recovery setup")
    assert terminal.end() == 0, terminal.all
    assert nobody.kith("recovery", "status")["state"] == "none"
    assert nobody.kith("status")["mediator"]


def check_one_is_too_few(bench, mediator):
    lonely = bench.node("Lonely")
    terminal = begin(bench, lonely, mediator)
    terminal.type("maybe")  # Neither yes nor no: asked again.
    terminal.expect("Choose them now")
    terminal.type("y")
    for name, answer in (("Bob", "http"), ("Bob", "already"), ("B,C", "without a comma"),
                         ("mediator", "already")):
        terminal.expect("Name of a person")
        terminal.type(name)
        terminal.expect(answer)
    terminal.expect("Name of a person")
    terminal.type()
    terminal.expect("at least two people")
    assert terminal.end() == 0, terminal.all


def invite_two(terminal):
    terminal.type("y")
    urls = {}
    for name in ("Bob", "Carol"):
        terminal.expect("Name of a person")
        terminal.type(name)
        urls[name] = terminal.expect(r"\n +(https?://\S+)\n").group(1)
    terminal.expect("Name of a person")
    terminal.type()
    return urls


def check_later(bench, mediator):
    """Who does not wait is told the command for later."""
    patient = bench.node("Patient")
    terminal = begin(bench, patient, mediator)
    invite_two(terminal)
    for wrong in ("0", "1", "3", "two", "-2", "2 "):
        terminal.expect("are enough.*2 to 2")
        terminal.type(wrong)
    terminal.expect("are enough")
    terminal.type()
    terminal.expect("Wait here")
    terminal.type()
    terminal.expect(LATER)
    assert terminal.end() == 0, terminal.all
    # Nobody can let one trustee be enough with a slip of a finger.
    terminal = Terminal(bench.kith, "recovery", "setup", "--threshold", "1", "--trustees", "Bob,Carol",
                        "--home", patient.home)
    terminal.expect("Your passphrase")
    terminal.type(patient.passphrase_file.read_text().strip())
    terminal.expect("each of them alone could open your backup")
    terminal.expect("Is one enough")
    terminal.type()
    assert terminal.end() == 0, terminal.all


def check_set_up(bench, mediator, bob, carol):
    """All the way: invited, there, asked, agreed."""
    alice = bench.node("Alice")
    terminal = begin(bench, alice, mediator)
    urls = invite_two(terminal)
    terminal.expect("are enough")
    terminal.type()
    terminal.expect("Wait here")
    terminal.type("y")
    for friend in (bob, carol):
        friend.kith("accept", urls[friend.name], "--name", "Alice", "--wait", "0")
        terminal.expect(f"{friend.name} is here")
    terminal.expect("They are asked")
    assert terminal.end() == 0, terminal.all
    alice.start()
    acts.together(lambda friend: acts.agree_to_trust(friend, "Alice", DEADLINE_S), [bob, carol])
    status = acts.recovery_ready(alice, DEADLINE_S)
    assert (status["threshold"], len(status["trustees"])) == (2, 2), status


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator()
        friends = acts.together(lambda name: bench.person(name, mediator, "--no-identity"),
                                ["Bob", "Carol"])
        acts.together(acts.mail_ready, friends)
        check_enters(bench, mediator)
        check_one_is_too_few(bench, mediator)
        check_later(bench, mediator)
        check_set_up(bench, mediator, *friends)
        print("terminal: every Enter is safe; recovery is set up where the wallet is made")


if __name__ == "__main__":
    main(sys.argv[1])
