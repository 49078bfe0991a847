#!/usr/bin/env python3
"""The Debian packages of a build: what is in them, on what they depend, and what their scripts may do.

    package_test.py BUILD

Packs BUILD's kith, whatever kind of build it is. With KITH_LONG=1 also asks lintian, packs twice, and
installs into a clean Debian (debootstrap, as root) where a node runs, is upgraded and purged: no trace is
left but its home. Exit code 77 (skipped) without the tools that pack. Checks of packages are first tried on
packages that were spoiled.
"""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EPOCH = "1700000000"
MIRROR = "http://deb.debian.org/debian"
SYSTEM = platform.freedesktop_os_release()
SBOM = "sbom.spdx.json"
NOTICES = "/usr/share/doc/kith/notices/"
DOCS = ["changelog.gz", "changelog.Debian.gz", "copyright"]


def run(*words, code=0, **more):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=900, **more)
    assert code is None or done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class Package:
    """A package, unpacked."""

    def __init__(self, file, directory):
        self.name = file.name.split("_")[0]
        self.tree = Path(directory) / self.name
        run("dpkg-deb", "--raw-extract", file, self.tree)
        self.listing = {}  # {path: (mode, owner)}, as it will be installed
        for line in run("dpkg-deb", "--contents", file).splitlines():
            mode, owner, _, _, _, path = line.split(maxsplit=5)
            if not mode.startswith("d"):
                self.listing[path[1:]] = (mode, owner)
        fields = re.findall(r"^([\w-]+): (.*)$", (self.tree / "DEBIAN" / "control").read_text(), re.M)
        self.control = dict(fields)

    def read(self, path):
        return (self.tree / path.lstrip("/")).read_text()


def pack(build, directory, compression="gzip"):
    run("cpack", "--config", build / "CPackConfig.cmake", "-B", directory,
        "-D", f"CPACK_DEBIAN_COMPRESSION_TYPE={compression}", env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
    return sorted(Path(directory).glob("*.deb"))


def version():
    return re.search(r'kVersion = "([^"]+)"', (ROOT / "node" / "version.hpp").read_text()).group(1)


def commands():
    """The words that may follow `kith`."""
    return {words.split()[0] for words in re.findall(r"^## `kith ([^`]+)`", (ROOT / "docs" / "cli.md").read_text(), re.M)}


def wanted_files(name):
    docs = {f"/usr/share/doc/{name}/{file}" for file in DOCS}
    if name == "kith-host":
        return docs | {"/usr/lib/systemd/system/kith-mediator.service", "/usr/share/doc/kith-host/examples/kith.toml"}
    return docs | {
        f"/usr/share/doc/kith/{SBOM}",
        "/usr/bin/kith",
        "/usr/lib/systemd/user/kith.service",
        "/usr/share/bash-completion/completions/kith",
        "/usr/share/fish/vendor_completions.d/kith.fish",
        "/usr/share/zsh/vendor-completions/_kith",
        "/usr/share/man/man1/kith.1.gz",
        *(f"/usr/share/man/man1/kith-{command}.1.gz" for command in commands()),
    }


@functools.lru_cache
def linked_packages(program):
    """Debian's packages of the libraries that the program names, {package: version}."""
    found = {}
    places = dict(re.findall(r"^\s+(\S+) => (\S+)", run("ldd", program), re.M))
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program)):
        if library in places:  # The loader is not; it is part of libc6.
            # Debian 12 knows some of them below /usr/lib and others below /lib, which is the same folder.
            owners = run("dpkg", "-S", places[library], "/usr" + places[library], code=None)
            package = owners.split(": ")[0]
            found[package.split(":")[0]] = run("dpkg-query", "-W", "-f", "${Version}", package)
    return found


@functools.lru_cache
def included_packages():
    """Debian's packages of the headers that our own files name, as far as they are installed."""
    headers = set()
    for folder in ("crypto", "protocol", "ledger", "recovery", "node"):
        for file in (ROOT / folder).rglob("*.[ch]pp"):
            headers |= set(re.findall(r"^#include <([\w+./]+/[\w+./]+|msgpack\.hpp)>", file.read_text(), re.M))
    # Of valgrind's, nothing is compiled into a program: only the check of constant time reads it.
    left_out = ("sys/", "netinet/", "valgrind/")
    places = [f"/usr/include/{header}" for header in sorted(headers) if not header.startswith(left_out)]
    owners = run("dpkg", "-S", *places, code=None)
    return {line.split(":")[0] for line in owners.splitlines()}


@functools.lru_cache
def sections():
    """{package: section} of all that is installed; of Debian's own (free) part it has no slash."""
    lines = run("dpkg-query", "-W", "-f", "${Package} ${Section}\n").splitlines()
    return {name: section for name, _, section in (line.partition(" ") for line in lines)}


def free_complaints(names, section_of):
    """Debian takes into its main part only what everybody may use, change and pass on without a fee."""
    for name in names:
        section = section_of.get(name)
        if section is not None and section.startswith(("non-free", "contrib")):
            yield f"sbom: {name} is not free ({section})"


def sbom_complaints(kith, program):
    """The bill of materials against what the program and the sources say themselves."""
    sbom = json.loads(kith.read(f"/usr/share/doc/kith/{SBOM}"))
    parts = {part["SPDXID"]: part for part in sbom["packages"]}
    related = {}
    for relationship in sbom["relationships"]:
        part = parts[relationship["relatedSpdxElement"]]
        related.setdefault(relationship["relationshipType"], {})[part["name"]] = part["versionInfo"]
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    if [one["checksumValue"] for one in parts["SPDXRef-kith"]["checksums"]] != [digest]:
        yield "sbom: of another program"
    linked = linked_packages(program)
    for name in sorted(set(linked.items()) ^ set(related["DYNAMIC_LINK"].items())):
        yield f"sbom: libraries differ from the program's in {name}"
    compiled = related.get("STATIC_LINK", {})
    yield from free_complaints([*linked, *compiled], sections())
    for name in sorted(included_packages() - set(compiled)):
        yield f"sbom: {name} was included, and is not named"
    for name in compiled:
        if name.startswith("/"):
            yield f"sbom: {name} is of no package"
        elif not any(path == NOTICES + name for path in kith.listing):
            yield f"notices: none of {name}"


def complaints(packages):
    for package in packages.values():
        files = {path for path in package.listing if not path.startswith(NOTICES)}
        for path in sorted(files ^ wanted_files(package.name)):
            yield f"{package.name}: {path} is {'too much' if path in package.listing else 'missing'}"
        for path, (mode, owner) in package.listing.items():
            if owner != "root/root" or mode != ("-rwxr-xr-x" if path == "/usr/bin/kith" else "-rw-r--r--"):
                yield f"{package.name}: {path} has {mode} {owner}"
        if package.control["Version"] != f"{version()}-1":
            yield f"{package.name}: version {package.control['Version']}"
        scripts = {file.name for file in (package.tree / "DEBIAN").iterdir()} - {"control", "md5sums"}
        if scripts != ({"postinst", "prerm", "postrm"} if package.name == "kith-host" else set()):
            yield f"{package.name}: scripts {sorted(scripts)}"
        for script in scripts:
            text = package.read(f"DEBIAN/{script}")
            if subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False).returncode != 0:
                yield f"{package.name}: {script} is not understood"
            if "set -e" not in text:
                yield f"{package.name}: {script} goes on after an error"
            if re.search(r"\b(enable|start) .*kith", text):
                yield f"{package.name}: {script} starts the service"
    kith, host = packages["kith"], packages["kith-host"]
    depends = {part.split()[0] for part in kith.control["Depends"].split(", ")}
    program = kith.tree / "usr/bin/kith"
    for library in sorted(set(linked_packages(program)) - depends):
        yield f"kith: does not depend on {library}"
    yield from sbom_complaints(kith, program)
    if re.search(r"\.(debug_info|symtab)\b", run("readelf", "-SW", program)):
        yield "kith: the program is not stripped"
    if kith.control["Architecture"] != run("dpkg", "--print-architecture").strip() or host.control["Architecture"] != "all":
        yield "of the wrong architecture"
    if "adduser" not in host.control["Depends"] or f"kith (>= {version()})" not in host.control["Depends"]:
        yield f"kith-host: depends on {host.control['Depends']}"
    for unit in (kith.read("/usr/lib/systemd/user/kith.service"),
                 host.read("/usr/lib/systemd/system/kith-mediator.service")):
        for program in re.findall(r"^ExecStart=(\S+)", unit, re.M):
            if program != "/usr/bin/kith":
                yield f"a unit starts {program}"
    if json.loads(run(kith.tree / "usr/bin/kith", "version", "--json"))["version"] != version():
        yield "kith: the program says another version"


def spoil(packages, fault):
    """One fault, and how to take it out again."""
    kith, host = packages["kith"], packages["kith-host"]
    unit = host.tree / "usr/lib/systemd/system/kith-mediator.service"
    postinst = host.tree / "DEBIAN/postinst"
    sbom = kith.tree / "usr/share/doc/kith" / SBOM
    text = {path: path.read_text() for path in (unit, postinst, sbom)}
    listing, depends = dict(kith.listing), kith.control["Depends"]
    if fault == "a file too many":
        kith.listing["/etc/kith/kith.toml"] = ("-rw-r--r--", "root/root")
    elif fault == "a page missing":
        del kith.listing["/usr/share/man/man1/kith-recovery.1.gz"]
    elif fault == "a file open to all":
        kith.listing["/usr/bin/kith"] = ("-rwxrwxrwx", "root/root")
    elif fault == "a library forgotten":
        kith.control["Depends"] = re.sub(r"libsodium\d+ \([^)]*\), ", "", depends)
    elif fault == "a library of another version":
        sbom.write_text(re.sub(r'("name": "libsodium23",.*?"versionInfo": ")', r"\g<1>0", text[sbom], flags=re.S))
    elif fault == "a part forgotten":
        sbom.write_text(text[sbom].replace('"name": "libcli11-dev"', '"name": "libcli12-dev"'))
    elif fault == "another program":
        sbom.write_text(re.sub('(checksumValue": ")..', r"\g<1>--", text[sbom]))
    elif fault == "another place":
        unit.write_text(text[unit].replace("/usr/bin", "/usr/local/bin"))
    elif fault == "a broken script":
        postinst.write_text(text[postinst] + "if\n")
    elif fault == "a service that starts":
        postinst.write_text(text[postinst] + "systemctl enable --now kith-mediator\n")

    def mend():
        kith.listing, kith.control["Depends"] = listing, depends
        for path, content in text.items():
            path.write_text(content)
    return mend


def what_is_not_free_is_noticed():
    parts = sections()
    assert {"libsodium23", "libcli11-dev"} <= set(parts), "the parts' sections are not known"
    assert not list(free_complaints(["libsodium23"], parts))
    for section in ("non-free/libs", "contrib/libs", "non-free-firmware/misc"):
        assert len(list(free_complaints(["libsodium23"], {**parts, "libsodium23": section}))) == 1


FAULTS = ["a file too many", "a page missing", "a file open to all", "a library forgotten", "another place",
          "a service that starts", "a broken script", "a library of another version", "a part forgotten", "another program"]


# --- the long form


def lint(files, spoiled):
    """lintian(1) has no errors to name, and would name one."""
    assert "E: " in run("lintian", "--fail-on", "none", spoiled)
    errors = [line for line in run("lintian", "--fail-on", "none", *files).splitlines() if line.startswith("E:")]
    assert not errors, errors


class CleanDebian:
    """The root of a Debian without anything of ours, in a folder."""

    # Journals and caches of the tools that install, and what is mounted.
    PASSING = re.compile(r"^(proc|sys|dev|run|tmp|var/log|var/cache|var/lib/(apt|dpkg|systemd)|var/tmp"
                         r"|etc/(ld\.so\.cache|(passwd|group|shadow|gshadow|subuid|subgid)-)|root)(/|$)")

    def __init__(self, directory):
        self.root = Path(directory) / "root"
        run("debootstrap", "--variant=minbase", SYSTEM["VERSION_CODENAME"], self.root, MIRROR)
        # Nothing may start a service in here.
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        self.apt("update")

    def command(self, *words):
        """As a child that sees its own /proc, and takes all mounts along when it ends."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount -t proc proc "$1/proc" && shift && exec chroot "$@"', "sh", str(self.root), str(self.root),
                "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                *(str(word) for word in words)]

    def run(self, *words, **more):
        return run(*self.command(*words), **more)

    def apt(self, *words):
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", *words)

    def install(self, files):
        for file in files:
            shutil.copy(file, self.root / "tmp")
        self.apt("install", "--reinstall", *(f"/tmp/{file.name}" for file in files))

    def tree(self):
        """{path: (mode, owner, content)}"""
        out = {}
        for directory, folders, files in os.walk(self.root):
            here = Path(directory)
            folders[:] = [name for name in folders if not self.PASSING.match(str((here / name).relative_to(self.root)))]
            for name in folders + files:
                path = here / name
                relative = str(path.relative_to(self.root))
                if self.PASSING.match(relative):
                    continue
                info = path.lstat()
                content = ""
                if stat.S_ISREG(info.st_mode):
                    content = hashlib.sha256(path.read_bytes()).hexdigest()
                elif stat.S_ISLNK(info.st_mode):
                    content = os.readlink(path)
                out[relative] = (info.st_mode, info.st_uid, info.st_gid, content)
        return out


def as_kith(debian, *words, **more):
    return debian.run("setpriv", "--reuid=kith", "--regid=kith", "--clear-groups", "kith", *words,
                      "--home", "/var/lib/kith/home", **more)


def life(debian, files):
    before = debian.tree()
    debian.install(files)
    assert "kith" in debian.run("getent", "passwd", "kith")
    assert not list((debian.root / "etc/systemd").rglob("*kith*")), "the service is enabled"
    as_kith(debian, "init", "--test", "--no-passphrase", "--no-identity")
    node = subprocess.Popen(debian.command("setpriv", "--reuid=kith", "--regid=kith", "--clear-groups", "kith", "run",
                                           "--json", "--home", "/var/lib/kith/home", "--listen", "127.0.0.1:0"),
                            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert json.loads(node.stdout.readline())["running"]
        program = hashlib.sha256((debian.root / "usr/bin/kith").read_bytes()).hexdigest()
        assert json.loads(as_kith(debian, "version", "--json"))["sha256"] == program
        assert json.loads(as_kith(debian, "status", "--json"))["running"]
        debian.install(files)  # As an upgrade does, under a running node.
        assert json.loads(as_kith(debian, "status", "--json"))["running"]
    finally:
        node.terminate()
        assert node.wait(timeout=60) == 0
        node.stdout.close()
    home = {path: what for path, what in debian.tree().items() if path.startswith("var/lib/kith/")}
    assert any(path.endswith("keystore") for path in home), sorted(home)
    debian.apt("purge", "--autoremove", "kith", "kith-host")
    after = debian.tree()
    assert {path: what for path, what in after.items() if path.startswith("var/lib/kith/")} == home, "the home was touched"
    assert "kith" in debian.run("getent", "passwd", "kith"), "the home lost its owner"

    shutil.rmtree(debian.root / "var/lib/kith")
    debian.install(files)
    assert debian.tree() != before  # Or the comparison below says nothing.
    debian.apt("purge", "--autoremove", "kith", "kith-host")
    after = debian.tree()
    left = [f"{path}: {before.get(path)} {after.get(path)}" for path in sorted({*before, *after})
            if before.get(path) != after.get(path)]
    assert not left, left


def long_form(build, directory, nameless):
    again = Path(directory) / "again"
    assert [file.read_bytes() for file in pack(build, again)] == [file.read_bytes() for file in nameless], \
        "packed twice, and not the same"
    run(ROOT / "scripts" / "package.sh", "--build", build, Path(directory) / "packages",
        env={**os.environ, "DEBFULLNAME": "Kith's tests", "DEBEMAIL": "tests@debian.org"})
    files = sorted((Path(directory) / "packages").glob("*.deb"))
    assert [file.name for file in files] == [file.name for file in nameless], files
    if shutil.which("lintian"):
        lint(files, nameless[0])  # Nobody answers for that one.
    else:
        print("no lintian: not asked")
    if not shutil.which("debootstrap") or os.geteuid() != 0 or SYSTEM["ID"] != "debian":
        print("not root, no debootstrap or no Debian: not installed anywhere")
        return
    debian = CleanDebian(directory)
    life(debian, files)
    print("installed into a clean Debian, run, upgraded, purged: no trace left but the home")


def main():
    build = Path(sys.argv[1]).resolve()
    missing = [tool for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "file", "readelf", "gzip") if not shutil.which(tool)]
    if missing:
        print("not there:", ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory(prefix="kith-package-") as directory:
        files = pack(build, Path(directory) / "first")
        packages = {package.name: package for package in (Package(file, directory) for file in files)}
        assert sorted(packages) == ["kith", "kith-host"], sorted(packages)
        what_is_not_free_is_noticed()
        found = list(complaints(packages))
        for fault in FAULTS:
            mend = spoil(packages, fault)
            if not any(complaint not in found for complaint in complaints(packages)):
                found.append(f"the test does not notice {fault}")
            mend()
        print("\n".join(found))
        if found:
            return 1
        if os.environ.get("KITH_LONG") == "1":
            long_form(build, directory, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
