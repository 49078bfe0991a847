#!/usr/bin/env python3
"""How messages travel: directly between two agents over HTTP and over WebSockets, live from a
mediator that comes and goes, and under TLS with a CA of our own."""

import socket
import sys

from acts import mail_ready, together
from certificates import make_certificates
from kith_process import Refused, Workbench, wait_for


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def once(reader, sender, text):
    wait_for(f"{reader.name} reads {text!r}", lambda: text in reader.texts(sender.name))
    assert reader.texts(sender.name).count(text) == 1, reader.texts(sender.name)


def direct(bench, scheme):
    """Two agents with listeners and no mediator."""
    def edge(name):
        node = bench.node(name)
        node.init("--wait", "0")
        port = free_port()
        node.start("--listen", f"127.0.0.1:{port}", "--public-url", f"{scheme}://127.0.0.1:{port}/")
        return node
    alice, bob = together(edge, [f"Alice-{scheme}", f"Bob-{scheme}"])
    alice.connect(bob)
    assert alice.kith("ping", bob.name)["answered"]
    alice.kith("send", bob.name, "there")
    bob.kith("send", alice.name, "and back")
    once(bob, alice, "there")
    once(alice, bob, "and back")
    bob.kill()
    alice.kith("send", bob.name, "while you were away")
    bob.start()
    once(bob, alice, "while you were away")
    once(bob, alice, "there")
    for node in (alice, bob):
        node.stop()


def live(bench):
    """One WebSocket to the mediator, which is killed and comes back."""
    mediator = bench.mediator()
    alice, bob = together(lambda name: bench.person(name, mediator), ["Alice", "Bob"])
    for person in (alice, bob):
        mail_ready(person)
        wait_for(f"{person.name} is in live mode", lambda: person.kith("status")["mail_live"])
    alice.connect(bob)
    alice.kith("send", "Bob", "live")
    once(bob, alice, "live")
    mediator.kill()
    wait_for("Bob notices", lambda: not bob.kith("status")["mail_live"])
    alice.kith("send", "Bob", "nobody relays this yet")
    mediator.start()
    once(bob, alice, "nobody relays this yet")
    wait_for("Bob is in live mode again", lambda: bob.kith("status")["mail_live"])
    alice.kith("send", "Bob", "live again")
    once(bob, alice, "live again")
    assert len(bob.texts("Alice")) == 3, bob.texts("Alice")
    for node in (alice, bob, mediator):
        node.stop()


TLS_MEDIATOR = """
[node]
listen = "127.0.0.1:0"
ledger_serve = true

[mediator]
enabled = true

[tls]
certificate = "{certificate}"
key = "{key}"
"""


def tls(bench):
    """All of the mediator's settings stand in its kith.toml."""
    files = make_certificates(bench.directory / "tls")
    mediator = bench.node("Tls-Mediator", passphrase=None)
    mediator.init("--no-identity")
    settings = mediator.home / "kith.toml"
    settings.write_text(TLS_MEDIATOR.format(certificate=files / "ca.pem", key=files / "server.key"))
    refusal = start_refused(mediator)
    assert refusal.exit_code != 0 and "key" in refusal.message, refusal
    settings.write_text(
        TLS_MEDIATOR.format(certificate=files / "server.pem", key=files / "server.key"))
    mediator.start()
    mediator.url = mediator.ready["public_url"]
    assert mediator.url.startswith("https://"), mediator.ready

    for name, words in (("Nobody", []), ("Mallory", ["--tls-ca", files / "stranger.pem"])):
        refusal = bench.node(name).refuses(
            "init", "--name", name, "--test", "--private-network", "--mediator", mediator.url,
            "--wait", "0", *words)
        assert refusal.exit_code == 4, refusal
        assert "its certificate is not trusted" in refusal.message, refusal.message

    trusts = ("--tls-ca", files / "ca.pem")
    alice, bob = together(lambda name: bench.person(name, mediator, *trusts), ["Ann", "Ben"])
    for person in (alice, bob):
        mail_ready(person)
        wait_for(f"{person.name} is in live mode", lambda: person.kith("status")["mail_live"])
    alice.connect(bob)
    alice.kith("send", "Ben", "under TLS")
    once(bob, alice, "under TLS")
    refusal = mediator_without_key(bench, files)
    assert refusal.exit_code == 2, refusal
    for node in (alice, bob, mediator):
        node.stop()


def mediator_without_key(bench, files):
    node = bench.node("Half", passphrase=None)
    node.init("--no-identity")
    return node.refuses("run", "--listen", "127.0.0.1:0", "--tls-cert", files / "server.pem")


def start_refused(node):
    try:
        node.start()
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{node.name} should not have come up")


def main(build):
    with Workbench(build) as bench:
        direct(bench, "http")
        direct(bench, "ws")
        live(bench)
        tls(bench)
    print("transports: as told")


if __name__ == "__main__":
    main(sys.argv[1])
