#!/usr/bin/env python3
"""No plaintext secret reaches disk, wire or log, and two trustees' records share no value. Each search
is first run against a planted leak, which it must find.

Everybody's traffic goes through a recording proxy. The secrets are strings that people typed:
passphrases, names, texts, labels; they are looked for raw, in hexadecimal and in base64."""

import base64
import http.client
import json
import subprocess
import sys

import acts
import shared_values
from kith_process import Workbench, wait_for
from secret_search import Search

SECRETS = {
    "Alice's passphrase": "marble lantern 5561 orchid",
    "a trustee's passphrase": "cobalt ladder 8243 willow",
    "the new device's passphrase": "saffron bridge 9017 heron",
    "Alice's name": "Alicia Quillfeather",
    "a trustee's name": "Carolus Thistlewood",
    "another trustee's name": "Davinia Marchbanks",
    "a label for a contact": "godmother of the twins",
    "a text": "the spare key lies under the third flowerpot",
    "an answer": "no, the fourth flowerpot since Tuesday",
    "the line for the trustees": "please keep this for me, old friend",
}
# Values of two trustees' records that may be equal (recovery-protocol section 2): what is no secret
# and says nothing about the set.
SHARED_ALLOWED = (
    r"trusteeship/versions/\d+/record/locations/\d+/address",  # A common mediator keeps the backups.
)


def dump(bench, person, *collections):
    done = subprocess.run([str(bench.dump), str(person.home), str(person.passphrase_file), *collections],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def planted(bench, search, proxy, alice):
    """The same search finds one secret on a disk, on the wire and in a log."""
    leak = alice.home / "leak"
    leak.write_bytes(b"\0\1" + SECRETS["a text"].encode().hex().encode())
    assert search.in_tree(alice.home), "the search does not see a leak on the disk"
    leak.unlink()
    before = len(proxy.bytes())
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request("POST", "/", SECRETS["Alice's name"], {"Content-Type": "text/plain"})
    connection.getresponse().read()
    connection.close()
    wait_for("the proxy has it", lambda: len(proxy.bytes()) > before)
    assert search.in_bytes("wire", proxy.bytes()[before:]), "the search does not see a leak on the wire"
    log = bench.directory / "logs" / "planted.log"
    log.write_text(f"error: {SECRETS['an answer']}\n")
    assert search.in_tree(bench.directory / "logs"), "the search does not see a leak in a log"
    log.unlink()
    return len(proxy.bytes())


def live(bench, mediator):
    """Months of a life in a few seconds: meet, write, set up, lose everything, recover."""
    def person(name, label, passphrase, *words):
        return bench.person(name, mediator, *words, label=SECRETS.get(label, label),
                            passphrase=SECRETS[passphrase])
    alice = person("A", "Alice's name", "Alice's passphrase")
    trustees = acts.together(lambda row: person(*row, "a trustee's passphrase", "--no-identity"),
                             [("T1", "a trustee's name"), ("T2", "another trustee's name"),
                              ("T3", "Erin")])
    acts.together(acts.mail_ready, [alice, *trustees])
    acts.identity_posted(alice)
    return alice, trustees


def main(build):
    with Workbench(build) as bench:
        mediator = bench.mediator(proxied=True)
        search = Search(SECRETS)
        alice, trustees = live(bench, mediator)
        wire_from = planted(bench, search, mediator.proxy, alice)

        acts.meet_all(alice, trustees)
        alice.kith("contacts", "rename", "T3", SECRETS["a label for a contact"])
        alice.kith("contacts", "rename", SECRETS["a label for a contact"], "T3")
        alice.kith("send", "T1", SECRETS["a text"])
        wait_for("the text arrives", lambda: SECRETS["a text"] in trustees[0].texts("A"))
        trustees[0].kith("send", "A", SECRETS["an answer"])
        wait_for("the answer arrives", lambda: SECRETS["an answer"] in alice.texts("T1"))
        alice.kith("recovery", "setup", "--threshold", 2, "--waiting", "test", "--wait", "0",
                   "--text", SECRETS["the line for the trustees"],
                   "--trustees", ",".join(one.name for one in trustees))
        acts.together(lambda one: acts.agree_to_trust(one, "A"), trustees)
        acts.recovery_ready(alice)
        alice.kill()

        device = bench.node("Device", label=SECRETS["Alice's name"],
                            passphrase=SECRETS["the new device's passphrase"])
        device.init("--no-identity", "--mediator", mediator.url, "--wait", "0")
        device.start()
        acts.mail_ready(device)
        device.kith("recover", "start")
        for trustee in trustees[:2]:
            acts.approve(device, trustee, "A")
        acts.finish_recovery(device)
        assert SECRETS["a text"] in device.texts("T1"), "the canaries came along"

        everybody = [alice, device, mediator, *trustees]
        for person in everybody:
            person.stop()
        found = [leak for person in everybody for leak in search.in_tree(person.home)]
        found += search.in_tree(bench.directory / "logs")
        found += search.in_bytes("wire", mediator.proxy.bytes()[wire_from:])
        assert not found, f"secrets in the clear: {found}"
        print(f"{len(SECRETS)} secrets, {len(everybody)} homes, "
              f"{len(mediator.proxy.bytes()) - wire_from} bytes of traffic: nothing in the clear")

        held = [dump(bench, trustee, "trusteeship", "share") for trustee in trustees[:2]]
        compare(*held)


def compare(one, other):
    """Two trustees' records have no value in common; a leak from one to the other is seen."""
    shared_values.check_itself()
    mine, theirs = (shared_values.values(held, SHARED_ALLOWED) for held in (one, other))
    assert min(len(mine), len(theirs)) >= 10, "the trustees hold nothing"
    for value, path in mine.items():
        for spelling in (value, value.hex().encode(), base64.b64encode(value),
                         base64.urlsafe_b64encode(value).rstrip(b"=")):
            leak = {"collection": "share", "id": "planted", "fields": {"/leak": spelling.hex()}}
            assert shared_values.shared(one, [*other, leak], SHARED_ALLOWED), f"{path} leaks unseen"
    common = shared_values.shared(one, other, SHARED_ALLOWED)
    assert not common, "two trustees' records share values:\n" + "\n".join(common)
    print(f"{len(mine)} and {len(theirs)} values at two trustees: none shared")


if __name__ == "__main__":
    main(sys.argv[1])
