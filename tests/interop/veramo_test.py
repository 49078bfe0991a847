#!/usr/bin/env python3
"""Kith and @veramo/did-comm, as far as the latter follows the standard: plaintext and anoncrypt from
Kith, plaintext and signatures to Kith. All else fails at a known place, and each is asserted: when a
new version of the peer gets one right, this test says so, and docs/interop.md gets a line less."""

import sys
import tempfile
import time

from peers import KithError, KithTool, Peer, PeerError, damaged, header, needed

TEST = "interop/veramo"
ALICE, BOB = "did:example:alice", "did:example:bob"
ENCS = ("A256CBC-HS512", "A256GCM", "XC20P")


def same(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def refused(what, attempt, refusal, reason):
    """`attempt` fails with `refusal`, whose text holds `reason`."""
    try:
        found = attempt()
    except refusal as error:
        assert reason in str(error), f"{what}: {error}"
    else:
        raise AssertionError(f"{what}: was opened ({found}); docs/interop.md says otherwise")


def all_refused(side, envelope, unpack, refusal):
    for what, bad in damaged(envelope):
        refused(f"{side}, altered {what}", lambda bad=bad: unpack(bad), refusal, "")


def message():
    return {"id": "1", "typ": "application/didcomm-plain+json", "from": ALICE, "to": [BOB],
            "type": "https://didcomm.org/basicmessage/2.0/message", "created_time": int(time.time()),
            "body": {"content": "Grüße"}}


def conforming(kith, peer):
    """What both read of each other."""
    sent = message()
    same("plaintext to Veramo", peer.call("unpack", envelope=kith.pack(sent, [])),
         {"message": sent, "packing": "none"})
    plain = peer.call("pack", message=sent, packing="none")["envelope"]
    same("plaintext to Kith", kith.unpack(plain, [])["message"], sent)

    for enc in ENCS:
        envelope = kith.pack(sent, [], "--to", BOB, "--enc", enc)
        opened = peer.call("unpack", envelope=envelope)
        assert set(opened["message"].pop("kith_pad")) == {"."}
        same(f"anoncrypt, {enc}", opened, {"message": sent, "packing": "anoncrypt"})
        all_refused("Veramo", envelope, lambda bad: peer.call("unpack", envelope=bad), PeerError)

    envelope = peer.call("pack", message=sent, packing="jws")["envelope"]
    opened = kith.unpack(envelope, [BOB])
    same("signed", opened["message"], sent)
    same("signer", opened["metadata"]["sign_from"], ALICE + "#key-2")
    same("sender", opened["metadata"]["sender"], ALICE)
    assert opened["metadata"]["non_repudiation"] and not opened["metadata"]["encrypted"]
    all_refused("Kith", envelope, lambda bad: kith.unpack(bad, [BOB]), KithError)


def deviations(kith, peer):
    sent = message()

    def from_peer(packing, enc):
        return peer.call("pack", message=sent, packing=packing, options={"enc": enc})["envelope"]

    # No apv, and no apu beside skid.
    for enc in ENCS:
        envelope = from_peer("anoncrypt", enc)
        assert "apv" not in header(envelope)
        refused(f"anoncrypt, {enc}", lambda: kith.unpack(envelope, [BOB]), KithError, "apv")
    envelope = from_peer("authcrypt", "A256CBC-HS512")
    assert header(envelope)["skid"] and "apu" not in header(envelope)
    refused("authcrypt", lambda: kith.unpack(envelope, [BOB]), KithError, "apu")
    # Authcrypt with ciphers that the standard does not allow there; one is the default.
    default = peer.call("pack", message=sent, packing="authcrypt")["envelope"]
    same("default", header(default)["enc"], "A256GCM")
    for enc in ("A256GCM", "XC20P"):
        envelope = from_peer("authcrypt", enc)
        refused(f"authcrypt, {enc}", lambda: kith.unpack(envelope, [BOB]), KithError, "")
    # ECDH-1PU of draft 03: the tag does not go into the key.
    envelope = kith.pack(sent, [ALICE], "--to", BOB, "--from", ALICE)
    refused("authcrypt to Veramo", lambda: peer.call("unpack", envelope=envelope), PeerError,
            "unable to decrypt")
    # kid is looked for in the protected header of a signature.
    signed = kith.pack(sent, [ALICE], "--sign-by", ALICE)
    refused("signature to Veramo", lambda: peer.call("unpack", envelope=signed), PeerError, "kid")
    # One layer is opened, and what is inside is taken for the message.
    nested = kith.pack(sent, [ALICE], "--to", BOB, "--sign-by", ALICE)
    assert "payload" in peer.call("unpack", envelope=nested)["message"]


def main(program):
    node, packages = needed(TEST, "veramo", "long")
    with tempfile.TemporaryDirectory(prefix="kith-interop-") as directory:
        with Peer("veramo_peer.mjs", node, packages) as peer:
            kith = KithTool(program, directory)
            for did in (ALICE, BOB):
                kith.add(peer.call("party", did=did, agree=["X25519"], sign=["Ed25519"]))
            conforming(kith, peer)
            deviations(kith, peer)
    print(f"{TEST}: as docs/interop.md says")


if __name__ == "__main__":
    main(sys.argv[1])
