#!/usr/bin/env python3
"""What people and networks do wrong: each case ends with a clear sentence, the next step and its exit
code, and nothing is lost: the node goes on, the home is as it was."""

import base64
import hashlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

from acts import identity_posted, mail_ready, together
from kith_process import Refused, Workbench, wait_for

ENVELOPE = "application/didcomm-encrypted+json"


def expect(refusal, exit_code, code=None):
    """The designed exit code, a sentence and a next step."""
    assert refusal.exit_code == exit_code, f"exit {refusal.exit_code}, not {exit_code}: {refusal}"
    assert code is None or refusal.code == code, f"{refusal.code}, not {code}: {refusal}"
    assert refusal.message.strip() and refusal.hint.strip(), f"no sentence or no next step: {refusal}"
    return refusal


def free_port():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def fingerprint(home):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(home).rglob("*")) if path.is_file() and path.name not in ("LOG", "lock")}


def post(port, body, content_type=ENVELOPE):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body, {"Content-Type": content_type})
    reply = connection.getresponse()
    if reply.status == 415:
        assert reply.headers["Accept"] == ENVELOPE, reply.headers
    connection.close()
    return reply.status


def urls(alice, bob):
    for url, code in (("not an address", 2), ("", 2), ("ftp://example.org/x", 2),
                      ("http://example.org/?_oob=%%%", None), ("http://example.org/?_oob=e30", None)):
        refusal = expect(alice.refuses("accept", url, "--wait", "0"), code or alice_code(alice, url))
        assert refusal.exit_code in (1, 2), refusal
    url = alice.kith("invite")["url"]
    refusal = alice.refuses("accept", url[: len(url) // 2], "--wait", "0")
    assert refusal.exit_code in (1, 2) and refusal.hint, refusal
    # The whole one still works, once.
    bob.kith("accept", url, "--name", "Alice", "--wait", "20")
    expect(bob.refuses("accept", url, "--wait", "0"), 7, "conflict")


def alice_code(alice, url):
    return alice.refuses("accept", url, "--wait", "0").exit_code


def envelopes(mediator):
    port = mediator.ready["port"]
    encoded = base64.urlsafe_b64encode(json.dumps({"typ": ENVELOPE, "alg": "ECDH-ES+A256KW",
                                                   "enc": "A256CBC-HS512"}).encode()).decode()
    foreign = json.dumps({"protected": encoded.rstrip("="), "iv": "AAAA", "ciphertext": "AAAA",
                          "tag": "AAAA", "recipients": [{"header": {"kid": "did:key:z6Mk#z6Mk"},
                                                         "encrypted_key": "AAAA"}]}).encode()
    for body in (b"", b"{", b"{}", b"[]", b"\xff\xfe", foreign, foreign[: len(foreign) // 2],
                 b"[" * 100_000):
        status = post(port, body)
        assert status in (400, 413), f"{status} for {body[:40]}"
    plain = json.dumps({"id": "1", "type": "https://didcomm.org/trust-ping/2.0/ping", "body": {}}).encode()
    for other in ("text/plain", "application/didcomm-plain+json", "application/didcomm-signed+json",
                  "didcomm-plain+json", ENVELOPE + "x", "x" + ENVELOPE, ""):
        assert post(port, plain, other) == 415, other
    for same in ("Application/DIDComm-Encrypted+JSON", "didcomm-encrypted+json", ENVELOPE + "; charset=utf-8",
                 ENVELOPE + " ;q=1"):
        assert post(port, foreign, same) == 400, same
        assert post(port, plain, same) == 400, f"{same}: what is inside is not encrypted"
    assert mediator.runs(), "the mediator went down"
    assert mediator.kith("audit", "verify")["entries"] > 0


def passphrases(bench, alice):
    wrong = bench.directory / "wrong.passphrase"
    wrong.write_text("not the passphrase\n")
    alice.stop()
    before = fingerprint(alice.home)
    right, alice.passphrase_file = alice.passphrase_file, wrong
    try:
        alice.start()
        raise AssertionError("a wrong passphrase opened the wallet")
    except Refused as refusal:
        expect(refusal, 6, "wallet.passphrase")
    expect(alice.refuses("contacts"), 6, "wallet.passphrase")
    assert fingerprint(alice.home) == before, "a wrong passphrase changed the home"
    alice.passphrase_file = right
    alice.start()
    alice.passphrase_file = wrong
    expect(alice.refuses("identity", "check"), 6, "wallet.passphrase")
    alice.passphrase_file = right
    assert alice.kith("contacts")["contacts"]


def second_node(bench, alice):
    twin = bench.node("Twin")
    twin.home = alice.home
    try:
        twin.start()
        raise AssertionError("two nodes run on one home")
    except Refused as refusal:
        expect(refusal, 7, "home.in_use")
    assert alice.kith("audit", "verify")["entries"] > 0


def unreachable(bench):
    nobody = f"http://127.0.0.1:{free_port()}/"
    lonely = bench.node("Lonely")
    try:
        lonely.init("--mediator", nobody, "--wait", "1")
        raise AssertionError("an absent mediator was not missed")
    except Refused as refusal:
        expect(refusal, 4)
    # The wallet was made all the same, and says what comes next.
    assert "mediator" not in lonely.kith("status")
    expect(lonely.refuses("accept", nobody, "--wait", "0"), 4)
    assert lonely.kith("audit", "verify") is not None


def ledgers(bench):
    odd = bench.node("Odd")
    try:
        odd.init("--ledger", "carrier-pigeon://roof", "--wait", "0")
        raise AssertionError("an unknown kind of ledger was taken")
    except Refused as refusal:
        expect(refusal, 2)
    assert not (odd.home / "format").exists(), "a home was left behind"
    odd.init("--ledger", f"http://127.0.0.1:{free_port()}/", "--wait", "0")
    assert odd.kith("status")["identity"]["state"] == "waiting-for-ledger"


def newer_home(alice):
    alice.stop()
    form = alice.home / "format"
    old = form.read_bytes()
    form.write_bytes(b"99\n")
    before = fingerprint(alice.home)
    expect(alice.refuses("status"), 7, "home.newer")
    try:
        alice.start()
        raise AssertionError("a newer home was opened")
    except Refused as refusal:
        expect(refusal, 7, "home.newer")
    assert fingerprint(alice.home) == before, "a newer home was changed"
    form.write_bytes(old)
    alice.start()
    assert alice.kith("audit", "verify")["entries"] > 0


def missing_home(bench):
    expect(bench.node("Nobody").refuses("status"), 7, "home.missing")


def usage(bench):
    for words in (["no-such-command"], ["send"], ["run", "--ui", "127.0.0.1:0"], ["slip39", "split"]):
        expect(bench.node("Nobody").refuses(*words), 2, "usage")


def every_command_exists(bench):
    """The agent knows every command that the help lists: whatever is missing, it is not the command."""
    home = bench.node("Curious", passphrase=None)
    home.init("--wait", "0")
    listed = 0
    for group in ([], *([name] for name in commands_of(bench, [])[1])):
        commands, _ = commands_of(bench, group)
        for command in commands:
            words = [*group, command]
            # A frozen home would refuse the rest; an export is lines for other programs.
            if words[0] in ("init", "run", "freeze") or words in (["ledger", "serve"], ["audit", "export"]):
                continue
            listed += 1
            try:
                # A failed resolution is a result: it says why in its metadata.
                home.kith(*words, *required_of(bench, words), "--yes", *wait_option(bench, words),
                          also=(1,) if words == ["did", "resolve"] else ())
            except Refused as refusal:
                assert "no such command" not in refusal.message, refusal
                assert refusal.exit_code in range(1, 8) and refusal.hint, refusal
    assert listed > 30, f"only {listed} commands found in the help"
    said = home.refuses("contact")
    assert "`contact` is no command" in said.message, said
    for words in (["backup", "list"], ["backup"], ["backup", "verify"]):
        assert "planned" in home.refuses(*words).message, words


def help_of(bench, words):
    done = subprocess.run([str(bench.kith), *words, "--help"], capture_output=True, text=True, timeout=30,
                          check=True)
    return done.stdout


def commands_of(bench, group):
    """(commands, groups) below a group, as its help lists them."""
    listed = help_of(bench, group).partition("Subcommands:\n")[2]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    groups = [name for name in names if not group and "Subcommands:" in help_of(bench, [name])]
    return [name for name in names if name not in groups], groups


def required_of(bench, words):
    """Something for each word and option that it needs."""
    found = []
    for line in help_of(bench, words).splitlines():
        parts = line.split()
        if "REQUIRED" in parts:
            found += [parts[0]] if parts[0].startswith("-") else []
            found += ["1" if parts[1] == "NUMBER" else "in-person"]
    return found


def wait_option(bench, words):
    return ["--wait", "0"] if "--wait" in help_of(bench, words) else []


def full_disk(bench, alice, bob):
    """Files of the home cannot grow any more: the node refuses or stops, and says why; after there is
    space again, all that it had confirmed is there."""
    bob.stop()
    texts = alice.texts("Bob")
    alice.stop()
    largest = max(path.stat().st_size for path in alice.home.rglob("*") if path.is_file())

    def little_space():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 20_000, largest + 20_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def send(text):
        line = alice.words("send", "Bob", text)
        done = subprocess.run([str(bench.kith), *line], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, preexec_fn=little_space)
        return done

    confirmed = []
    refused = None
    for number in range(400):
        text = f"{number} " + "x" * 3000
        done = send(text)
        if done.returncode != 0:
            refused = done
            break
        confirmed.append(text)
    assert refused is not None, "the disk never filled up"
    error = json.loads(refused.stderr.splitlines()[-1])["error"]
    assert refused.returncode == 1 and error["code"] in ("storage.full", "storage.unknown"), refused
    assert error["message"] and error["hint"], error

    alice.start()
    kept = alice.texts("Bob")
    missing = [text[:10] for text in texts + confirmed if text not in kept]
    assert not missing, f"confirmed texts are lost: {missing}"
    assert alice.kith("audit", "verify")["entries"] > 0
    bob.start()
    wait_for("what was confirmed arrives",
             lambda: set(confirmed) <= set(bob.texts("Alice")))


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator()
        alice, bob = together(lambda name: bench.person(name, mediator), ["Alice", "Bob"])
        for person in (alice, bob):
            mail_ready(person)
            identity_posted(person)
        for case, action in {
                "malformed and reused addresses": lambda: urls(alice, bob),
                "foreign and truncated envelopes": lambda: envelopes(mediator),
                "wrong passphrase": lambda: passphrases(bench, alice),
                "second node on one home": lambda: second_node(bench, alice),
                "unreachable mediator": lambda: unreachable(bench),
                "unknown ledger": lambda: ledgers(bench),
                "newer home": lambda: newer_home(alice),
                "no home": lambda: missing_home(bench),
                "usage": lambda: usage(bench),
                "every command of the help": lambda: every_command_exists(bench),
                "full disk": lambda: full_disk(bench, alice, bob)}.items():
            action()
            print(f"{case}: refused as designed, nothing lost", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
