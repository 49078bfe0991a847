#!/usr/bin/env python3
"""Writes what a program is made of, as SPDX 2.3 in JSON: Debian's packages of the libraries that it loads,
and of what was compiled into it.

    sbom.py BUILD PROGRAM FILE [--notices DIRECTORY]

PROGRAM is what BUILD's kith became (stripped, say). The libraries come from the program itself (readelf,
ldd), what was compiled in from the headers and archives that the build read for it (ninja). Nothing else
is believed: what has no package is named as the file that it is. --notices also copies the copyright files
of what was compiled in, which their licences ask for.

The time is SOURCE_DATE_EPOCH's, if it is set.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTION = platform.freedesktop_os_release()["ID"]
# Debian 12 lists some files below /lib and some below /usr/lib, which is the same folder.
MERGED = re.compile(r"^/(?:usr/)?(?=(?:lib|lib32|lib64|libx32|bin|sbin)/)")


def run(*words):
    return subprocess.run([str(word) for word in words], text=True, capture_output=True, check=True).stdout


def owners_of(paths):
    """{path: package} of those that dpkg knows."""
    names = {}
    for path in paths:
        for name in {path, os.path.realpath(path)}:
            if MERGED.match(name):
                names[MERGED.sub("/", name)] = names[MERGED.sub("/usr/", name)] = path
            names[name] = path
    # It fails if it does not know one of them, and names the others all the same.
    said = subprocess.run(["dpkg", "-S", *sorted(names)], text=True, capture_output=True, check=False).stdout
    owners = {}
    for line in said.splitlines():
        packages, _, name = line.partition(": ")
        if name in names and not line.startswith("diversion"):
            owners[names[name]] = packages.split(", ")[0]
    return owners


def loaded(program):
    """(libraries that the program names, those that they bring along), as paths."""
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program)))
    named, brought = set(), set()
    for name, path in re.findall(r"^\s+(?:(\S+) => )?(/\S+) \(0x", run("ldd", program), re.M):
        (named if (name or Path(path).name) in needed else brought).add(path)
    return named, brought


def compiled_in(build):
    """Files from outside of the tree that went into kith: headers and archives."""
    inputs = set(run("ninja", "-C", build, "-t", "inputs", "kith").splitlines())
    found, counts = set(), False
    for line in run("ninja", "-C", build, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            counts = line.split(": #deps")[0] in inputs
        elif counts and line:
            found.add(os.path.normpath(build / line.strip()))
    found |= {path for path in inputs if path.startswith("/") and path.endswith(".a")}
    return {path for path in found if not path.startswith((f"{build}/", f"{ROOT}/"))}


def unpacked(path):
    """Of a package that was unpacked somewhere and not installed (scripts/install-deps.sh):
    (package, its copyright file)."""
    for folder in Path(path).parents:
        papers = folder / "usr" / "share" / "doc"
        if folder != Path("/") and papers.is_dir():
            for package in sorted(papers.iterdir()):
                if (package / "copyright").exists():
                    return package.name, package / "copyright"
    return None


class Parts:
    """What was found: {package: (version, how it is part, its copyright file)}."""

    def __init__(self):
        self.packages = {}

    def add(self, paths, relation):
        owners = owners_of(paths)
        for path in sorted(paths):
            if path in owners:
                self.put(owners[path].split(":")[0], relation, owners[path])
            elif unpacked(path):
                self.put(unpacked(path)[0], relation, None, unpacked(path)[1])
            else:
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                self.packages.setdefault(path, (f"sha256-{digest}", relation, None))

    def put(self, name, relation, installed, papers=None):
        if name in self.packages:
            return
        if installed:
            version = run("dpkg-query", "-W", "-f", "${Version}", installed)
            papers = Path("/usr/share/doc") / name / "copyright"
        else:  # The changelog of an unpacked package begins with its version.
            changelog = run("zcat", papers.parent / "changelog.Debian.gz")
            version = re.search(r"\(([^)]+)\)", changelog).group(1)
        self.packages[name] = (version, relation, papers)


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def document(program, version, packages):
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    kith = {"name": "kith", "SPDXID": "SPDXRef-kith", "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
            "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
            "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}
    found = [kith]
    relationships = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                      "relatedSpdxElement": "SPDXRef-kith"}]
    for name, (its_version, relation, _) in sorted(packages.items()):
        part = {"name": name, "SPDXID": spdx_id(name), "versionInfo": its_version, "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
                "copyrightText": "NOASSERTION", "primaryPackagePurpose": "LIBRARY"}
        if not name.startswith("/"):
            part["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                     "referenceLocator": f"pkg:deb/{DISTRIBUTION}/{quote(name)}@{quote(its_version)}"}]
        found.append(part)
        relationships.append({"spdxElementId": "SPDXRef-kith", "relationshipType": relation,
                              "relatedSpdxElement": spdx_id(name)})
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"kith-{version}",
            "documentNamespace": f"https://w3id.org/kith/sbom/{digest}",
            "creationInfo": {"created": created, "creators": ["Tool: packaging/sbom.py"]},
            "packages": found, "relationships": relationships}


def main():
    build, program, out = (Path(word).resolve() for word in sys.argv[1:4])
    version = re.search(r'kVersion = "([^"]+)"', (ROOT / "node" / "version.hpp").read_text()).group(1)
    parts = Parts()
    named, brought = loaded(program)
    parts.add(named, "DYNAMIC_LINK")
    parts.add(brought, "DEPENDS_ON")
    parts.add(compiled_in(build), "STATIC_LINK")
    out.write_text(json.dumps(document(program, version, parts.packages), indent=1) + "\n")
    if "--notices" in sys.argv:
        notices = Path(sys.argv[sys.argv.index("--notices") + 1])
        notices.mkdir(parents=True, exist_ok=True)
        for name, (_, relation, papers) in parts.packages.items():
            if relation == "STATIC_LINK" and papers:
                shutil.copyfile(papers, notices / name)


if __name__ == "__main__":
    main()
