#!/usr/bin/env python3
"""scripts/install.sh for real, into a home directory of its own: the programs run, systemd takes the
unit, a second run changes nothing, an update works under a running node, and uninstalling leaves
wallets and other people's files alone."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INSTALL = Path(__file__).resolve().parent.parent.parent / "scripts" / "install.sh"
TIMEOUT_S = 120


class Account:
    """A user with an empty home directory and no session manager."""

    def __init__(self, directory):
        self.home = Path(directory)
        self.runtime = self.home / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = {"HOME": str(self.home), "PATH": os.environ["PATH"],
                            "XDG_RUNTIME_DIR": str(self.runtime), "LC_ALL": "C"}

    def run(self, *words, code=0):
        done = subprocess.run([str(word) for word in words], env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S,
                              check=False)
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def unit(self):
        return self.home / ".config" / "systemd" / "user" / "kith.service"

    def tree(self):
        """Every file but sockets: {path: (mode, hash)}."""
        return {str(path.relative_to(self.home)): (path.stat().st_mode, _hash(path))
                for path in sorted(self.home.rglob("*")) if path.is_file()}


def _hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_unit(account, unit):
    """As systemd reads it, where it is there to ask."""
    if not shutil.which("systemd-analyze"):
        print("no systemd-analyze: the unit is not checked")
        return
    account.run("systemd-analyze", "verify", "--user", unit)
    spoiled = account.home / "spoiled" / "kith.service"
    spoiled.parent.mkdir()
    for old, new in (("/bin/kith", "/bin/no-such-kith"), ("[Service]", "[Servize]"),
                     ("Type=exec", "Type=exact")):
        spoiled.write_text(unit.read_text().replace(old, new))
        said = subprocess.run(["systemd-analyze", "verify", "--user", str(spoiled)], check=False,
                              env=account.environment, capture_output=True, text=True)
        assert said.returncode != 0 or said.stderr, f"{new} is taken for good"
    shutil.rmtree(spoiled.parent)
    clean = subprocess.run(["systemd-analyze", "verify", "--user", str(unit)], check=False,
                           env=account.environment, capture_output=True, text=True)
    # Other units of the machine may have faults of their own; ours has none.
    about = [line for line in clean.stderr.splitlines() if "kith" in line]
    assert not about, about


def start(account, home):
    program = account.home / ".local" / "bin" / "kith"
    account.run(program, "init", "--test", "--no-passphrase", "--no-identity", "--home", home)
    node = subprocess.Popen([str(program), "run", "--json", "--home", str(home)], text=True,
                            env=account.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert json.loads(node.stdout.readline())["running"]
    return node


def usual_life(build, account):
    others = account.home / ".local" / "bin" / "mine"
    others.parent.mkdir(parents=True)
    others.write_text("#!/bin/sh\n")
    said = account.run(INSTALL, "--build", build)
    assert "kith init" in said and "--uninstall" in said, said
    program = others.parent / "kith"
    assert json.loads(account.run(program, "version", "--json"))["version"]
    check_unit(account, account.unit())

    papers = account.home / ".local" / "share"
    pages = papers / "man" / "man1"
    assert "--threshold" in (papers / "bash-completion/completions/kith").read_text()
    assert (pages / "kith.1").exists() and (pages / "kith-recovery.1").exists()

    before = account.tree()
    account.run(INSTALL, "--build", build)
    assert account.tree() == before, "a second run changes something"
    # What an earlier version had is not left behind, and what others wrote beside it is.
    gone, theirs = pages / "kith-gone.1", pages / "kith-theirs.1"
    for page in (gone, theirs):
        page.write_text("")
    with (papers.parent / "lib/kith/installed").open("a") as installed:
        installed.write("share/man/man1/kith-gone.1\n")
    account.run(INSTALL, "--build", build)
    assert not gone.exists() and theirs.exists()
    theirs.unlink()
    assert account.tree() == before, "an update leaves something"

    home = account.home / ".local" / "share" / "kith"
    node = start(account, home)
    try:
        account.run(INSTALL, "--build", build)
        assert json.loads(account.run(program, "status", "--json", "--home", home))["running"]
    finally:
        node.terminate()
        assert node.wait(timeout=TIMEOUT_S) == 0
        node.stdout.close()

    said = account.run(INSTALL, "--uninstall")
    assert str(home) in said, said
    left = account.tree()
    assert not program.exists() and not account.unit().exists(), sorted(left)
    wallet = str(home.relative_to(account.home))
    assert [path for path in left if not path.startswith(wallet)] == [str(others.relative_to(account.home))], left
    assert others.exists() and (home / "keystore").exists(), "uninstalling took too much"
    account.run(INSTALL, "--uninstall")
    assert account.tree() == left, "uninstalling twice changes something"


def odd_prefix(build, account):
    prefix = account.home / "my 100% apps | & $HOME"
    account.run(INSTALL, "--prefix", prefix, "--build", build)
    assert json.loads(account.run(prefix / "bin" / "kith", "version", "--json"))["version"]
    check_unit(account, account.unit())
    account.run(INSTALL, "--uninstall", "--prefix", prefix)
    assert not (prefix / "bin" / "kith").exists()


def wrong_words(build, account):
    for words in (["--prefiks", "x"], ["x"], ["--build", account.home],
                  ["--build", build, "--prefix", account.home / 'a "b"']):
        done = subprocess.run([str(INSTALL), *map(str, words)], env=account.environment, text=True,
                              capture_output=True, check=False)
        assert done.returncode != 0 and done.stderr, words
        assert not account.unit().exists(), words


def main(build):
    build = Path(build).resolve()
    for life in (usual_life, odd_prefix):
        with tempfile.TemporaryDirectory(prefix="kith-install-") as directory:
            life(build, Account(directory))
    with tempfile.TemporaryDirectory(prefix="kith-install-") as directory:
        wrong_words(build, Account(directory))
    print("install: installed, again, under a running node, and removed")


if __name__ == "__main__":
    main(sys.argv[1])
