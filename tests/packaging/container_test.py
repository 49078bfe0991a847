#!/usr/bin/env python3
"""The Containerfile: what it copies and runs is there, and what runs in the end is what was built.

    container_test.py BUILD

With KITH_LONG=1, as root of a Debian 12 with debootstrap, also carries out its last stage in a clean Debian,
with BUILD's kith in the place of the one that the first stage builds: the image's user makes a home there
and runs a mediator. What the first stage installs is asked of the package manager, not installed: the build
itself is scripts/test.sh's. Which packages the last stage needs is tests/e2e/mediator_test.py's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from package_test import ROOT, SYSTEM, CleanDebian, run

CONTAINERFILE = ROOT / "packaging" / "Containerfile"


def stages_of(text):
    """[[(instruction, argument)]]: one list for each FROM."""
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.M)).splitlines()
    stages = []
    for line in filter(str.strip, lines):
        instruction, argument = line.split(maxsplit=1)
        if instruction == "FROM":
            stages.append([])
        stages[-1].append((instruction, " ".join(argument.split())))
    return stages


def all_of(stage, instruction):
    return [argument for name, argument in stage if name == instruction]


def faults(text):
    """What is wrong with a Containerfile, in sentences."""
    build, last = stages_of(text)
    found = []
    for argument in all_of(build, "COPY"):
        found += [f"{source} is not in the tree" for source in argument.split()[:-1] if not (ROOT / source).exists()]
    for script in re.findall(r"scripts/[\w-]+\.sh", " ".join(all_of(build, "RUN"))):
        if not os.access(ROOT / script, os.X_OK):
            found.append(f"{script} is no program")
    copied = [argument.split() for argument in all_of(last, "COPY")]
    if [words[:2] for words in copied] != [["--from=build", "/src/build/release/kith"]]:
        found.append("the last stage does not take what the first one built")
    (entry,) = [json.loads(argument) for argument in all_of(last, "ENTRYPOINT")]
    if entry[0] not in [words[-1] for words in copied]:
        found.append(f"{entry[0]} is not in the image")
    made = re.findall(r"useradd .*?(\S+) (?:&&|$)", " ".join(all_of(last, "RUN")))
    if all_of(last, "USER") != made:
        found.append("it does not run as the user that it makes")
    (volume,) = all_of(last, "VOLUME")
    if not entry[entry.index("--home") + 1].startswith(volume + "/"):
        found.append("the home is not on the volume")
    return found


def check_tree():
    text = CONTAINERFILE.read_text(encoding="utf-8")
    assert not faults(text), faults(text)
    for right, wrong in (("COPY scripts scripts", "COPY skripts scripts"), ("install-deps.sh", "install-dep.sh"),
                         ("build/release/kith /usr", "build/dev/kith /usr"), ("USER kith", "USER root"),
                         ("/usr/local/bin/kith\", \"--home", "/usr/bin/kith\", \"--home"),
                         ("VOLUME /var/lib/kith", "VOLUME /srv/kith")):
        assert right in text and faults(text.replace(right, wrong)), f"{wrong}: not found out"


def check_packages(debian, stage):
    """What the first stage would install exists in that Debian."""
    assert any("install-deps.sh build" in argument for argument in all_of(stage, "RUN"))
    shutil.copytree(ROOT / "scripts", debian.root / "src" / "scripts")
    said = debian.run("env", "HOME=/root", "/src/scripts/install-deps.sh", "build", "--print")
    names = re.search(r"apt will install: (.*)", said).group(1).split()
    assert "Inst g++" in debian.apt("install", "--simulate", *names)


def run_last_stage(debian, stage, kith):
    user, entry, command = None, None, None
    for instruction, argument in stage:
        if instruction == "RUN":
            debian.run("sh", "-c", argument)
        elif instruction == "COPY":
            target = debian.root / argument.split()[-1].lstrip("/")
            shutil.copy(kith, target)
        elif instruction == "USER":
            user = argument
        elif instruction == "ENTRYPOINT":
            entry = json.loads(argument)
        elif instruction == "CMD":
            command = json.loads(argument)

    def words(*more):
        return ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *entry, *more)

    home = debian.root / entry[entry.index("--home") + 1].lstrip("/")
    debian.run(*words("init", "--name", "mail.example.org", "--no-passphrase", "--no-identity"))
    assert home.is_dir() and home.stat().st_mode & 0o077 == 0
    settings = debian.root / command[command.index("--config") + 1].lstrip("/")
    settings.parent.mkdir(parents=True)
    settings.write_text('[node]\nlisten = "127.0.0.1:0"\npublic_url = "https://mail.example.org"\n'
                        "[mediator]\nenabled = true\n")
    node = subprocess.Popen(debian.command(*words(*command, "--json")), text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE)
    try:
        assert json.loads(node.stdout.readline())["public_url"].startswith("https://mail.example.org")
        assert json.loads(debian.run(*words("status", "--json")))["running"]
    finally:
        node.terminate()
        assert node.wait(timeout=60) == 0
        node.stdout.close()


def main():
    kith = Path(sys.argv[1]).resolve() / "kith"
    check_tree()
    print("what the Containerfile names is there")
    if os.environ.get("KITH_LONG") != "1":
        return
    if not shutil.which("debootstrap") or os.geteuid() != 0 or (SYSTEM["ID"], SYSTEM["VERSION_ID"]) != ("debian", "12"):
        print("not root, no debootstrap or no Debian 12: carried out nowhere")
        return
    with tempfile.TemporaryDirectory(prefix="kith-container-") as directory:
        build, last = stages_of(CONTAINERFILE.read_text(encoding="utf-8"))
        debian = CleanDebian(directory)
        check_packages(debian, build)
        stripped = Path(directory) / "kith"
        run("strip", "-o", stripped, kith)
        run_last_stage(debian, last, stripped)
    print("its last stage was carried out in a clean Debian, and a mediator ran there")


if __name__ == "__main__":
    main()
