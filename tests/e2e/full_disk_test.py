#!/usr/bin/env python3
"""A disk runs full under a node at work. The node says so and what to do, ends with exit code 1, and
nothing that it acknowledged is lost: with space freed and a new start everything is there, once.

Three times: the owner's disk and the mediator's (a small file system of its own, where this process
may mount one), and files that may not grow any more (a limit on the running process). A node that
acknowledges what it has not written must be caught by the same check.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile

import acts
from kith_process import Refused, Workbench, wait_for

DISK_BYTES = 24 << 20
LEFT_BYTES = 1 << 20
TEXT_BYTES = 4000
TEXTS_MAX = 120
INSIDE = "KITH_TEST_IN_NAMESPACE"
DEADLINE_S = 60


def enter_namespace():
    """Starts this test again where it may mount, if there is such a place."""
    if os.environ.get(INSIDE):
        return os.environ[INSIDE] == "mounts"
    with tempfile.TemporaryDirectory() as probe:
        for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
            tried = shutil.which("unshare") and subprocess.run(
                [*words, "mount", "-t", "tmpfs", "-o", "size=1m", "none", probe],
                capture_output=True, check=False)
            if tried and tried.returncode == 0:
                os.environ[INSIDE] = "mounts"
                os.execvp(words[0], [*words, sys.executable, *sys.argv])
    return False


class SmallDisk:
    """A file system of its own below one home, with a ballast that comes and goes."""

    def __init__(self, home):
        home.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "none", str(home)],
                       check=True)
        self.ballast = home / "ballast"

    def fill(self, left_bytes):
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
            file.truncate(max(0, file.tell() - left_bytes))

    def fill_while_running(self, _process):
        self.fill(LEFT_BYTES)

    def stay_full(self):
        self.fill(0)

    def free(self):
        self.ballast.unlink()


class NoGrowth:
    """No file of the running process may grow much beyond the largest it has."""

    def __init__(self, home):
        self.home = home

    def fill_while_running(self, process):
        largest = max(path.stat().st_size for path in self.home.rglob("*") if path.is_file())
        limit = largest + LEFT_BYTES // 2
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))

    def stay_full(self):
        pass

    def free(self):
        pass


def numbers(texts):
    return [int(text.split()[0]) for text in texts]


def check_nothing_lost(where, acknowledged, there):
    """All that were acknowledged, each once. What was refused may be there or not."""
    lost = sorted(set(acknowledged) - set(there))
    twice = sorted({number for number in there if there.count(number) > 1})
    assert not lost and not twice, f"{where}: lost {lost}, twice {twice}"


def send_texts(sender, receiver_name, until):
    """Sends until it is refused or `until()` holds: the numbers that were acknowledged, the refusal."""
    acknowledged = []
    for number in range(TEXTS_MAX):
        try:
            sender.kith("send", receiver_name, f"{number} " + "x" * TEXT_BYTES)
        except Refused as refusal:
            return acknowledged, refusal
        acknowledged.append(number)
        if until():
            break
    return acknowledged, None


def check_report(refusal):
    assert (refusal.code, refusal.exit_code) == ("storage.full", 1), refusal
    assert refusal.message.startswith("The disk is full."), refusal.message
    assert refusal.hint.startswith("Free some space and start Kith again"), refusal.hint


def check_goodbye(victim):
    """The node ended by itself, and its last words say why."""
    assert victim.ended() == 1, f"exit code {victim.ended()}"
    last = victim.log_text().strip().splitlines()[-1]
    assert '"storage.full"' in last and "Free some space" in last, last


def life(build, role, disk_kind, fault=None):
    """One node's disk runs full while Alice writes to Bob."""
    with Workbench(build) as bench:
        disks = {}

        def furnish(node):
            if node.name.lower() == role and disk_kind is SmallDisk:
                disks[role] = SmallDisk(node.home)
        mediator = bench.mediator(furnish=furnish)
        alice, bob = acts.together(lambda name: bench.person(name, mediator, furnish=furnish),
                                   ["Alice", "Bob"])
        acts.together(acts.mail_ready, [alice, bob])
        acts.identity_posted(alice)
        alice.connect(bob)
        victim = {"alice": alice, "mediator": mediator}[role]
        disk = disks.get(role) or NoGrowth(victim.home)
        if fault:
            victim.stop()
            victim.program, victim.environment = bench.faulty, {**os.environ, "KITH_FAULT": fault}
            victim.start()
        disk.fill_while_running(victim.process)
        acknowledged, refusal = send_texts(alice, "Bob", until=lambda: not mediator.runs())
        if fault:
            victim.kill()  # It may have noticed late, when it could not read either.
            victim.program = bench.kith
        else:
            check_full(role, victim, refusal)
            disk.stay_full()
            check_start_on_full_disk(disk, victim)
        disk.free()
        victim.start()
        check_nothing_lost("at Alice", acknowledged, numbers(alice.texts("Bob")))
        wait_for("Bob has all texts", lambda: set(acknowledged) <= set(numbers(bob.texts("Alice"))),
                 DEADLINE_S)
        check_nothing_lost("at Bob", acknowledged, numbers(bob.texts("Alice")))
        alice.kith("send", "Bob", "1000 and it goes on")
        wait_for("life goes on", lambda: 1000 in numbers(bob.texts("Alice")), DEADLINE_S)
        for person in (alice, bob, mediator):
            assert person.kith("audit", "verify")["entries"] > 0
        assert len(acknowledged) >= 5, f"too few texts to tell: {acknowledged}"
        return len(acknowledged)


def check_start_on_full_disk(disk, victim):
    """Refused with the same words, and no harm done."""
    if not isinstance(disk, SmallDisk):
        return
    try:
        victim.start()
    except Refused as again:
        return check_report(again)
    raise AssertionError("a node starts on a full disk")


def check_full(role, victim, refusal):
    if role == "alice":
        assert refusal is not None, "the disk never ran full"
        check_report(refusal)
    check_goodbye(victim)


def main(build):
    lives = [("alice", NoGrowth), ("mediator", NoGrowth)]
    if enter_namespace():
        lives = [("alice", SmallDisk), ("mediator", SmallDisk), ("alice", NoGrowth)]
    else:
        print("no file system can be mounted here: limits on file sizes only")
    for role, kind in lives:
        count = life(build, role, kind)
        print(f"{role}, {kind.__name__}: {count} texts acknowledged, all there", flush=True)
    try:
        life(build, "alice", lives[0][1], fault="early-ack")
    except AssertionError as error:
        assert str(error).startswith("at Alice: lost"), error
        print(f"early-ack is caught: {error}")
    else:
        raise AssertionError("a node that acknowledges too early was not caught")


if __name__ == "__main__":
    main(sys.argv[1])
