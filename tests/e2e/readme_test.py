#!/usr/bin/env python3
"""The README is true: its tour is run command by command, each machine with a home of its own, and every
line of output that it shows comes out. Commands that are typed at a terminal are typed at one here.

In the README, `URL` and `ID` stand for what an earlier command printed, and `...` for anything. The
server's name and port are replaced by this machine and a free port. First the test makes sure that it
notices a line that does not come out.
"""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import socket
import sys
import tempfile
import termios
import time
from pathlib import Path

from kith_process import POLL_S, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
PASSPHRASE = "seven violet anchors hum quietly"
COMMAND_TIMEOUT_S = 90
DEADLINE_S = 60
RUNNING = "Kith is running"
OFFER = "Choose them now? (y/N): "


def consoles(text):
    """[(machine, command, [lines shown])] of all console blocks, in order."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for line in block.splitlines():
            prompt = re.match(r"(\w+)\$ (.*)", line)
            if prompt:
                steps.append((prompt[1], prompt[2], []))
            else:
                steps[-1][2].append(line)
    return steps


def missing(shown, output):
    """The shown lines that no line of the output is like."""
    lines = output.splitlines()

    def like(wanted):
        pattern = ".*".join(re.escape(part) for part in wanted.strip().split("..."))
        return any(re.fullmatch(pattern, line.strip()) for line in lines)
    return [wanted for wanted in shown if wanted.strip() and not like(wanted)]


class Typed:
    """A command at a terminal of its own: passphrases are typed when it asks, and Enter where it asks
    whether to set recovery up at once."""

    def __init__(self, words, environment):
        self.output = ""
        self.code = None
        self._answered = 0
        self._declined = 0
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(environment["HOME"])
            os.execvpe(words[0], words, environment)
        # Wide, so that nothing is folded.
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, b"\x50\0\xff\x0f\0\0\0\0")

    def read(self, until=None, timeout_s=COMMAND_TIMEOUT_S):
        """Until the end, or until `until` was printed."""
        end = time.monotonic() + timeout_s
        while until is None or until not in self.output:
            left = end - time.monotonic()
            assert left > 0, f"no end within {timeout_s} s:\n{self.output}"
            if not select.select([self.master], [], [], POLL_S)[0]:
                self._answer()
                continue
            try:
                data = os.read(self.master, 4096)
            except OSError:  # How a terminal says that nobody is there any more.
                data = b""
            if not data:
                self._reap()
                return self.output
            self.output += data.decode(errors="replace").replace("\r", "")
        return self.output

    def _answer(self):
        """Once for every time it is asked for, and only when it will not be shown."""
        asked = len(re.findall(r"(?:passphrase|once more)[^\n]*: ", self.output))
        hidden = not termios.tcgetattr(self.master)[3] & termios.ECHO
        if asked > self._answered and hidden:
            self._answered += 1
            os.write(self.master, PASSPHRASE.encode() + b"\n")
        if self.output.endswith(OFFER) and self.output.count(OFFER) > self._declined:
            self._declined += 1
            os.write(self.master, b"\n")

    def _reap(self):
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        os.close(self.master)

    def stop(self):
        if self.code is not None:
            return
        os.kill(self.pid, signal.SIGTERM)
        self.read()


class Tour:
    """All machines of the tour, below one directory."""

    def __init__(self, build, directory):
        self.directory = Path(directory)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        bin_directory = self.directory / "bin"
        bin_directory.mkdir()
        os.symlink(Path(build).resolve() / "kith", bin_directory / "kith")
        self.path = f"{bin_directory}:{os.environ['PATH']}"
        self.running = []
        self.latest = {}

    def environment(self, machine):
        home = self.directory / machine
        home.mkdir(exist_ok=True)
        return {"HOME": str(home), "PATH": self.path, "TERM": "dumb", "LANG": "C.UTF-8", "TZ": "UTC"}

    def words(self, command):
        command = command.replace("server.example:8000", f"127.0.0.1:{self.port}")
        command = command.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}")
        words = shlex.split(command)
        return [self.latest.get(word, word) for word in words]

    def as_shown(self, output):
        return output.replace(f"127.0.0.1:{self.port}", "server.example:8000")

    def run(self, machine, command, shown):
        typed = Typed(self.words(command), self.environment(machine))
        if command.startswith("kith run"):
            self.running.append(typed)
            typed.read(until=RUNNING)
            assert typed.code is None, f"{machine}$ {command}\n{typed.output}"
        else:
            typed.read()
            assert typed.code == 0, f"{machine}$ {command}: exit {typed.code}\n{typed.output}"
        output = self.as_shown(typed.output)
        for name, pattern in (("URL", r"^\s*url: (\S+)"), ("ID", r"^\s*id: (\S+)")):
            found = re.findall(pattern, typed.output, re.M)
            if found:
                self.latest[name] = found[-1]
        return missing(shown, output), output

    def step(self, machine, command, shown):
        """What other machines still have to bring may take a moment: reading commands are repeated."""
        reads = re.match(r"kith (trustee requests|recovery status|messages|contacts|status)", command)
        if not reads:
            lost, output = self.run(machine, command, shown)
            assert not lost, f"{machine}$ {command}\nshown in the README but not printed: {lost}\n{output}"
            return output
        tries = []

        def all_there():
            tries[:] = self.run(machine, command, shown)
            return not tries[0]
        try:
            wait_for(f"{machine}$ {command}", all_there, DEADLINE_S)
        except Exception as error:
            raise AssertionError(f"{error}\nnot printed: {tries[0]}\n{tries[1]}") from error
        return tries[1]

    def stop(self):
        for typed in self.running:
            typed.stop()


def self_check():
    sample = "```console\nalice$ kith x\nname: Bob\nid: ...\n```\n"
    assert consoles(sample) == [("alice", "kith x", ["name: Bob", "id: ..."])]
    assert missing(["name: Bob", "id: ..."], "id: 77\nname: Bob\n") == []
    assert missing(["name: Bob"], "name: Bobby\n") == ["name: Bob"]


def main(build, show=None):
    self_check()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = consoles(text)
    assert steps and steps[-1][1] == "kith recovery status", "the tour ends in `kith recovery status`"
    for script in re.findall(r"^(scripts/\S+)", text, re.M):
        assert os.access(ROOT / script, os.X_OK), f"{script} cannot be run"
    with tempfile.TemporaryDirectory(prefix="kith-") as directory:
        tour = Tour(build, directory)
        try:
            for machine, command, shown in steps:
                output = tour.step(machine, command, shown)
                if show:
                    print(f"{machine}$ {command}\n{output}")
        finally:
            tour.stop()
    print(f"{len(steps)} commands of the README: as shown")


if __name__ == "__main__":
    main(*sys.argv[1:3])
