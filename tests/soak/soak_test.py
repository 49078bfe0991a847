#!/usr/bin/env python3
"""A soak: 200 nodes exchange texts over one mediator on loopback, while the mediator and the nodes are
killed with SIGKILL and started again. Every text that a sender's node acknowledged is in its reader's
inbox once; none is there that was not sent.

    soak_test.py BUILD soak [SEED]
    soak_test.py BUILD counter-example

The nodes are whole ones, each with its own home, fifty to a process (kith-soak-clients); the mediator is
`kith run --mediate`. Moments and victims of the kills come from the seed, which is printed. Ten minutes of
traffic with KITH_LONG=1, else half a minute.

Counter-examples: the checker is shown lists with a lost, a doubled, an invented text; and a mediator that
acknowledges what it has not stored must be caught.
"""

import json
import os
import random
import re
import resource
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from control import Down, command  # noqa: E402
from kith_process import Workbench, wait_for  # noqa: E402
from texts import Texts, problems  # noqa: E402

LONG = bool(os.environ.get("KITH_LONG"))
CLIENTS = 200
PROCESSES = 4
TRAFFIC_S = 600 if LONG else 30
TEXTS_PER_S = 20
KILLS = 60 if LONG else 12
KILL_EVERY_S = 10 if LONG else 2
DOWN_S = 1.0  # At most; and at least nothing.
SETUP_S = 180
DRAIN_S = 180
FAULT_DRAIN_S = 5
# Nobody speaks TLS here, and reading the CAs of the system 200 times takes seconds.
WITHOUT_CAS = {**os.environ, "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}


class Clients:
    """One process with several nodes."""

    def __init__(self, bench, first, last, texts):
        self.bench, self.first, self.last, self.texts = bench, first, last, texts
        self.log = bench.directory / "logs" / f"clients-{first}.log"
        self.process = self._reader = None
        self._ready = threading.Event()

    def start(self):
        self.begin()
        return self.come_up()

    def begin(self):
        self._ready.clear()
        self.log.parent.mkdir(exist_ok=True)
        line = [str(self.bench.build / "tests" / "soak" / "kith-soak-clients"),
                str(self.bench.directory), str(self.first), str(self.last)]
        with open(self.log, "ab") as log:
            self.process = self.bench.spawn(line, log, WITHOUT_CAS)
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def come_up(self):
        assert self._ready.wait(SETUP_S), f"no sign of life:\n{self.log.read_text()}"
        assert self.process.poll() is None, f"ended:\n{self.log.read_text()}"
        return self

    def _read(self, lines):
        for line in lines:
            if not line.endswith(b"\n"):
                break  # Killed while it said it.
            document = json.loads(line)
            if "ready" in document:
                self._ready.set()
            else:
                self.texts.tell(document["client"], document["text"])
        self._ready.set()  # Nothing more will come.

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()  # What it said before counts.
        self.process.stdout.close()
        self.bench.processes.remove(self.process)


def in_earnest(node):
    """No test home: those ask their mediator several times a second, which 200 should not."""
    node.kind = ["--private-network"]


class Town:
    """The mediator, the clients, and who writes to whom."""

    def __init__(self, bench, clients, processes):
        self.bench = bench
        self.texts = Texts()
        self.mediator = bench.mediator(furnish=in_earnest)
        self.mediator.stop()
        (self.mediator.home / "kith.toml").write_text('metrics.listen = "127.0.0.1:0"\n')
        self.mediator.start()
        size = clients // processes
        self.numbers = range(size * processes)
        self.clients = [Clients(bench, i * size, i * size + size - 1, self.texts)
                        for i in range(processes)]
        # Everybody has somebody in another process.
        half = len(self.numbers) // 2
        self.pairs = [(one, one + half) for one in range(half)]
        self._count = 0

    def home(self, number):
        return self.bench.directory / f"c{number}"

    def command(self, number, name, /, **arguments):
        return command(self.home(number), name, **arguments)

    def set_up(self):
        for each in self.clients:
            each.begin()
        for each in self.clients:
            each.come_up()
        with urllib.request.urlopen(self.mediator.url + "invitation", timeout=30) as answer:
            invitation = json.load(answer)["url"]
        for one in self.numbers:
            self.command(one, "accept", url=invitation, name="mediator", role="mediator")
        for one in self.numbers:
            wait_for(f"client {one} has its mail at the mediator",
                     lambda one=one: self.has_mediator(one), SETUP_S)
        for one, other in self.pairs:
            url = self.command(one, "invite", name=f"c{other}")["url"]
            self.command(other, "accept", url=url, name=f"c{one}")
        for one, other in self.pairs:
            for me, them in ((one, other), (other, one)):
                wait_for(f"client {me} knows {them}",
                         lambda me=me, them=them: self.knows(me, them), SETUP_S)

    def has_mediator(self, one):
        status = self.command(one, "status")
        return "mediator" in status and status["mail_registered"]

    def knows(self, one, other):
        contacts = self.command(one, "contacts")["contacts"]
        return any(each["name"] == f"c{other}" and each["state"] == "connected" for each in contacts)

    def send_somewhere(self, rng):
        pair = rng.choice(self.pairs)
        self.send(*(pair if rng.random() < 0.5 else pair[::-1]))

    def send(self, sender, reader):
        """Nothing is promised if the sender is down."""
        self._count += 1
        text = f"{sender} {reader} {self._count}"
        self.texts.try_to_send(text)
        try:
            self.command(sender, "send", contact=f"c{reader}", text=text)
        except Down:
            return
        self.texts.acknowledge(text)

    def quiet(self, one):
        """Nothing is on its way from there: what was sent twice has come."""
        return self.command(one, "status")["open_effects"] == 0

    def mail(self):
        """Texts and all else that lies at the mediator."""
        address = f"http://127.0.0.1:{self.mediator.ready['metrics_port']}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return int(re.search(r"^kith_mail_messages (\d+)$", answer.read().decode(), re.M)[1])

    def inboxes(self):
        with ThreadPoolExecutor(max_workers=2) as pool:
            lists = pool.map(lambda one: self.command(one, "messages")["messages"], self.numbers)
            return {one: [each["text"] for each in messages if each["direction"] == "received"]
                    for one, messages in zip(self.numbers, lists)}


class Killer(threading.Thread):
    """Kills so many times, now the mediator, now some clients, and starts them again."""

    def __init__(self, town, rng, kills):
        super().__init__(daemon=True)
        self.town, self.rng = town, rng
        self.victims = [town.mediator if i % 2 else rng.choice(town.clients) for i in range(kills)]
        self.killed = {"mediator": 0, "clients": 0}
        self.error = None
        self._pause = threading.Event()

    def run(self):
        try:
            for victim in self.victims:
                self._pause.wait(self.rng.uniform(0, 2 * KILL_EVERY_S))
                victim.kill()
                self.killed["mediator" if victim is self.town.mediator else "clients"] += 1
                self._pause.wait(self.rng.uniform(0, DOWN_S))
                victim.start()
        except BaseException as error:  # Shown by end().
            self.error = error

    def end(self):
        self.join()
        if self.error:
            raise self.error


def traffic(town, rng, killer):
    """Sends at an even pace, as far as the machine can, so long and until the killer is done."""
    pause = threading.Event()
    begin = time.monotonic()
    sent = 0
    while (now := time.monotonic()) < begin + TRAFFIC_S or killer.is_alive():
        town.send_somewhere(rng)
        sent += 1
        pause.wait(max(0.0, begin + sent / TEXTS_PER_S - now))
    killer.end()


def drain(town, deadline_s):
    """Until everything acknowledged has come, and nothing is on its way that could come twice."""
    town.texts.see(town.inboxes())
    there = town.texts.wait_until_all_there(deadline_s)
    for one in town.numbers:
        wait_for(f"client {one} has nothing to send", lambda one=one: town.quiet(one), deadline_s)
    if "metrics_port" in town.mediator.ready:  # A faulty one counts nothing.
        wait_for("no mail is left at the mediator", lambda: town.mail() == 0, deadline_s)
    return there


def verdict(town):
    return problems(town.texts.tried, town.texts.acknowledged, town.texts.told, town.inboxes())


def soak(build, seed):
    with Workbench(build) as bench:
        begin = time.monotonic()
        town = Town(bench, CLIENTS, PROCESSES)
        town.set_up()
        ready = time.monotonic()
        print(f"{CLIENTS} clients, {len(town.pairs)} pairs, set up in {ready - begin:.0f} s", flush=True)
        killer = Killer(town, random.Random(f"{seed} kills"), KILLS)
        killer.start()
        traffic(town, random.Random(f"{seed} texts"), killer)
        stopped = time.monotonic()
        drained = drain(town, DRAIN_S)
        ended = time.monotonic()
        found = verdict(town)
        rss = resident_mib(town.mediator.process.pid)
        texts = town.texts
        print(f"{len(texts.acknowledged)} of {len(texts.tried)} texts acknowledged in "
              f"{stopped - ready:.0f} s, {killer.killed['mediator']} kills of the mediator, "
              f"{killer.killed['clients']} of {CLIENTS // PROCESSES} clients each; all there after "
              f"{ended - stopped:.0f} s; mediator {rss} MiB, "
              f"clients {[resident_mib(each.process.pid) for each in town.clients]} MiB", flush=True)
        assert not found, f"{len(found)} problems, seed {seed}: {found[:10]}"
        assert drained
        assert len(texts.acknowledged) > TRAFFIC_S  # It was a soak.


def resident_mib(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


def check_checker():
    """Every kind of fault is seen, and only that."""
    tried = {"1 2 a", "2 1 b", "1 2 c"}
    acknowledged = {"1 2 a", "2 1 b"}
    told = {(2, "1 2 a"): 1, (1, "2 1 b"): 1}
    good = {1: ["2 1 b"], 2: ["1 2 a", "1 2 c"]}

    def of(inboxes, **changes):
        return problems(**{"tried": tried, "acknowledged": acknowledged, "told": told,
                           "inboxes": inboxes, **changes})
    assert of(good) == []
    assert of({1: ["2 1 b"], 2: ["1 2 a"]}) == []  # Not acknowledged: may come or not.
    assert of({1: [], 2: ["1 2 a"]}) == ["lost: 2 1 b", "forgotten: 2 1 b"]
    assert of({1: [], 2: ["1 2 a"]}, told={(2, "1 2 a"): 1}) == ["lost: 2 1 b"]
    assert of({1: ["2 1 b", "2 1 b"], 2: ["1 2 a"]}) == ["doubled: 2 1 b, 2 times"]
    assert of(good, told={**told, (2, "1 2 a"): 2}) == ["delivered again: 1 2 a, 2 times"]
    assert of({1: ["2 1 b", "2 1 x"], 2: ["1 2 a"]}) == ["invented: 2 1 x"]
    assert of({1: ["2 1 b", "1 2 c"], 2: ["1 2 a"]}) == ["astray: 1 2 c at 1"]


def mail_across_a_kill(build, fault=None):
    """Texts lie at the mediator when it is killed, and their readers come afterwards. The verdict."""
    with Workbench(build) as bench:
        town = Town(bench, 8, 2)
        town.set_up()
        writers, readers = town.clients
        if fault:
            town.mediator.stop()
            town.mediator.program = bench.faulty
            town.mediator.environment = {**os.environ, "KITH_FAULT": fault}
            town.mediator.start()
        readers.kill()
        for _ in range(3):
            for one in range(writers.first, writers.last + 1):
                town.send(one, one + readers.first)
        for one in range(writers.first, writers.last + 1):
            wait_for(f"the mediator has the texts of {one}", lambda one=one: town.quiet(one), DRAIN_S)
        town.mediator.kill()
        town.mediator.start()
        readers.start()
        drain(town, FAULT_DRAIN_S if fault else DRAIN_S)
        return verdict(town)


def check_counter_example(build):
    found = mail_across_a_kill(build)
    assert not found, found
    found = mail_across_a_kill(build, "early-ack")
    assert any(each.startswith("lost: ") for each in found), found
    print(f"a mediator that acknowledges too early is caught: {found[0]}", flush=True)


def main(build, what, seed=None):
    if what == "counter-example":
        check_checker()
        return check_counter_example(build)
    seed = seed or str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}", flush=True)
    soak(build, seed)
    print("soak: every acknowledged text is there once")
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
