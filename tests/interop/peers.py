"""Other implementations of DIDComm as processes, and `kith message` as a tool of the same shape.

A peer is a Node.js script that answers line by line (line_peer.mjs). Its packages come from the npm
registry at the versions that its lock file pins: scripts/install-deps.sh fetches them into
$KITH_NPM_PREFIX (default ~/.cache/kith/npm). What is not there is a reason to skip the test, by name;
it is never fetched from here. KITH_NODE names another Node.js than the one on the path; "debian" is
the distribution's own, wherever others lie before it.

Standard library only.
"""

import base64
import copy
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77  # ctest counts this exit code as skipped.
ANSWER_S = 60


class PeerError(Exception):
    """What a peer answered instead of a result. `name` is its error's own name."""

    def __init__(self, name, message):
        self.name = name
        super().__init__(f"{name}: {message}")


class KithError(Exception):
    """`kith message` ended with an error."""

    def __init__(self, code, message):
        self.code = code
        super().__init__(f"{code}: {message}")


def skip(test, reason):
    print(f"SKIPPED {test}: {reason}")
    sys.exit(SKIPPED)


def packages_directory(name):
    prefix = os.environ.get("KITH_NPM_PREFIX") or Path.home() / ".cache" / "kith" / "npm"
    return Path(prefix) / name


def node_program(test, level):
    wanted = os.environ.get("KITH_NODE")
    if wanted != "debian":
        node = wanted or shutil.which("node")
        return node or skip(test, f"no Node.js on the path (scripts/install-deps.sh {level})")
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "nodejs"], capture_output=True,
                           text=True, check=False)
    version = asked.stdout.strip()
    if asked.returncode != 0 or "dfsg" not in version:
        skip(test, f"the distribution's own nodejs is not installed (but {version or 'none'})")
    return "/usr/bin/nodejs"


def needed(test, package, level="test"):
    """(node, packages): the interpreter and the directory of the peer; skips without them."""
    node = node_program(test, level)
    directory = packages_directory(package)
    pinned = (HERE / package / "package-lock.json").read_text()
    there = directory / "package-lock.json"
    if not (directory / "node_modules").is_dir() or not there.is_file():
        skip(test, f"the npm packages of {package} are not in {directory} "
                   f"(scripts/install-deps.sh {level})")
    if there.read_text() != pinned:
        skip(test, f"{directory} has other versions than the lock file of {package} "
                   f"(scripts/install-deps.sh {level})")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    print(f"{test}: Node.js {version.stdout.strip()} ({node}), packages in {directory}")
    return node, directory


class Peer:
    """A script of this folder, running. Ends with its `with` block."""

    def __init__(self, script, node, packages):
        self.process = subprocess.Popen(
            [node, str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "KITH_INTEROP_PACKAGES": str(packages)})
        self._pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def call(self, command, **arguments):
        """One command; raises PeerError with the peer's reason."""
        self.process.stdin.write(json.dumps({"do": command, **arguments}).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self._line(command))
        if "error" in answer:
            raise PeerError(answer["error"]["name"], answer["error"]["message"])
        return answer["ok"]

    def _line(self, command):
        end = time.monotonic() + ANSWER_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise AssertionError(f"the peer did not answer {command} in {ANSWER_S} s")
                part = os.read(self.process.stdout.fileno(), 65536)
                if not part:
                    raise AssertionError(f"the peer ended at {command}")
                self._pending += part
        line, _, self._pending = self._pending.partition(b"\n")
        return line


class KithTool:
    """`kith message` with the keys of the parties of one test. `add` takes what the peers' command
    `party` answers."""

    def __init__(self, program, directory):
        self.program = str(program)
        self.directory = Path(directory)
        self.documents = {}
        self.secrets = {}

    def add(self, party):
        did = party["document"]["id"]
        self.documents[did] = party["document"]
        self.secrets[did] = party["secrets"]

    def pack(self, message, own, *words):
        """The envelope, made with the private keys of the DIDs `own`."""
        return self._run("pack", json.dumps(message), own, words).rstrip("\n")

    def unpack(self, envelope, own):
        """{"message", "metadata"}"""
        text = envelope if isinstance(envelope, str) else json.dumps(envelope)
        return json.loads(self._run("unpack", text, own, ()))

    def _run(self, what, text, own, words):
        secrets = self.directory / "secrets.json"
        secrets.write_text(json.dumps([key for did in own for key in self.secrets[did]]))
        documents = self.directory / "documents.json"
        documents.write_text(json.dumps(list(self.documents.values())))
        done = subprocess.run(
            [self.program, "message", what, "--secrets", str(secrets), "--did-docs", str(documents),
             "--json", *words], input=text, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return done.stdout
        try:
            error = json.loads(done.stderr.splitlines()[-1])["error"]
        except (ValueError, LookupError):
            raise AssertionError(f"kith message {what}: exit {done.returncode}: "
                                 f"{done.stderr}") from None
        raise KithError(error["code"], error.get("message", ""))


# --- Envelopes, looked at and damaged

def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header(envelope):
    """The protected header of an encrypted envelope."""
    return json.loads(decoded(json.loads(envelope)["protected"]))


def _places(envelope):
    """Where an envelope carries base64url, as paths into its JSON."""
    for member in ("protected", "iv", "ciphertext", "tag", "payload", "signature"):
        if member in envelope:
            yield (member,)
    if len(envelope.get("recipients", [])) == 1:  # With several keys another one still opens it.
        yield ("recipients", 0, "encrypted_key")
    if "signatures" in envelope:
        yield ("signatures", 0, "protected")
        yield ("signatures", 0, "signature")


def damaged(text):
    """(what, envelope) for every part of the envelope, with one bit in the middle of it turned. A
    plaintext is not protected: all it can be is no JSON any more."""
    whole = json.loads(text)
    places = list(_places(whole))
    if not places:
        yield "brace", chr(ord(text[0]) ^ 1) + text[1:]
    for place in places:
        copied = copy.deepcopy(whole)
        holder = copied
        for step in place[:-1]:
            holder = holder[step]
        data = bytearray(decoded(holder[place[-1]]))
        data[len(data) // 2] ^= 1
        holder[place[-1]] = encoded(bytes(data))
        yield ".".join(map(str, place)), json.dumps(copied)
