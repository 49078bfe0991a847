#!/usr/bin/env python3
"""Kith and didcomm-node read each other's envelopes in all modes that both have.

For each mode both sides pack the same message for the other, who must find the same message in it
and say the same about how it was sealed. Then one bit of every part of the envelope is turned, and
the other side must refuse each of them. What the peer does differently is docs/interop.md's matter;
each line of it is asserted here.
"""

import json
import sys
import tempfile
import time

from peers import KithError, KithTool, Peer, PeerError, damaged, header, needed

TEST = "interop/didcomm_node"
ALICE, MEDIATOR, OLD = "did:example:alice", "did:example:mediator", "did:example:alice-before"
BOB = {  # One Bob for each set of keys.
    "X25519": "did:example:bob-x25519",
    "P-256": "did:example:bob-p256",
    "several": "did:example:bob-several",
    "mixed": "did:example:bob-mixed",
}
AGREEMENT = {"X25519": ["X25519"], "P-256": ["P-256"], "several": ["X25519", "X25519", "X25519"],
             "mixed": ["P-384", "P-256", "X25519"]}
SIGNATURES = {"EdDSA": ALICE + "#key-3", "ES256": ALICE + "#key-4", "ES256K": ALICE + "#key-5"}
ANONYMOUS = {"A256CBC-HS512": "A256cbcHs512EcdhEsA256kw", "A256GCM": "A256gcmEcdhEsA256kw",
             "XC20P": "Xc20pEcdhEsA256kw"}
ES, ONE_PU = "ECDH-ES+A256KW", "ECDH-1PU+A256KW"


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def same(what, found, wanted):
    check(found == wanted, f"{what}: {found!r} instead of {wanted!r}")


def unpadded(message):
    """Kith pads what it encrypts with a header of its own; others carry it as any unknown header."""
    padding = message.pop("kith_pad", "")
    check(set(padding) <= {"."}, f"padding: {padding!r}")
    return message


class Mode:
    """One way to seal a message from Alice. `layers`: what Kith writes, `peer_layers`: what the peer
    writes, as pairs of kind and algorithm, the outermost first."""

    def __init__(self, name, layers, to=None, peer_layers=None, sign=None, sender=False,
                 protect=False, enc=None, warnings=None):
        self.name, self.layers, self.peer_layers = name, layers, peer_layers or layers
        self.to, self.sign, self.sender, self.protect, self.enc = to, sign, sender, protect, enc
        self.warnings = warnings or []  # Of Kith, about the peer's envelope.

    def words(self):
        """Of `kith message pack`."""
        words = []
        if self.to:
            words += ["--to", BOB[self.to]]
        if self.sender:
            words += ["--from", ALICE]
        if self.sign:
            words += ["--sign-by", SIGNATURES[self.sign]]
        if self.protect:
            words += ["--protect-sender"]
        if self.enc:
            words += ["--enc", self.enc]
        return words

    def call(self):
        """Of the peer."""
        if not self.to:
            if not self.sign:
                return "pack_plaintext", {}
            return "pack_signed", {"sign_by": SIGNATURES[self.sign], "own": [ALICE]}
        options = {"protect_sender": self.protect}
        if self.enc:
            options["enc_alg_anon"] = ANONYMOUS[self.enc]
        return "pack_encrypted", {
            "to": BOB[self.to], "from": ALICE if self.sender else None,
            "sign_by": SIGNATURES[self.sign] if self.sign else None, "own": [ALICE],
            "options": options}


def modes():
    yield Mode("plaintext", [])
    for name in SIGNATURES:
        yield Mode(f"signed, {name}", [("signed", name)], sign=name)
    for curve in BOB:
        for enc in ANONYMOUS:
            yield Mode(f"anoncrypt, {enc}, {curve}", [("anoncrypt", ES)], to=curve, enc=enc)
        yield Mode(f"authcrypt, {curve}", [("authcrypt", ONE_PU)], to=curve, sender=True)
        yield Mode(f"authcrypt, sender protected, {curve}",
                   [("anoncrypt", ES), ("authcrypt", ONE_PU)], to=curve, sender=True, protect=True)
    for name in SIGNATURES:
        yield Mode(f"anoncrypt and signed, {name}", [("anoncrypt", ES), ("signed", name)],
                   to="X25519", sign=name)
        # The standard advises against auth(sign(plain)): Kith seals such a message anonymously.
        yield Mode(f"authcrypt and signed, {name}", [("anoncrypt", ES), ("signed", name)],
                   to="X25519", sign=name, sender=True, warnings=["auth-over-signed"],
                   peer_layers=[("authcrypt", ONE_PU), ("signed", name)])
        yield Mode(f"authcrypt and signed, sender protected, {name}",
                   [("anoncrypt", ES), ("signed", name)], to="X25519", sign=name, sender=True,
                   protect=True, warnings=["forbidden-nesting"],
                   peer_layers=[("anoncrypt", ES), ("authcrypt", ONE_PU), ("signed", name)])


class Bench:
    def __init__(self, kith, peer):
        self.kith, self.peer = kith, peer
        self.cases = self.refusals = 0

    def party(self, did, **keys):
        self.kith.add(self.peer.call("party", did=did, **keys))

    def message(self, to, **more):
        now = int(time.time())
        return {
            "id": "7f3c", "typ": "application/didcomm-plain+json",
            "type": "https://didcomm.org/basicmessage/2.0/message", "from": ALICE, "to": [to],
            "created_time": now, "expires_time": now + 3600, "thid": "thread", "pthid": "parent",
            "body": {"content": "Grüße \U0001f511", "deep": [1, {"a": None, "b": [True, 0.5]}]},
            "lang": "de",
            "attachments": [{"id": "a", "media_type": "text/plain", "data": {"base64": "aGFsbG8"}},
                            {"id": "b", "data": {"json": {"x": [1, 2]}}}],
            **more}

    def both(self, mode):
        bob = BOB[mode.to or "X25519"]
        message = self.message(bob)
        self.from_kith(mode, bob, message, self.kith.pack(message, [ALICE], *mode.words()))
        command, arguments = mode.call()
        envelope = self.peer.call(command, message=message, **arguments)["envelope"]
        self.from_peer(mode, bob, message, envelope)

    def from_kith(self, mode, bob, message, envelope):
        opened = self.peer.call("unpack", envelope=envelope, own=[bob])
        metadata = opened["metadata"]
        same("the peer's message", unpadded(opened["message"]), message)
        kinds = [kind for kind, _ in mode.layers]
        same("encrypted", metadata["encrypted"], bool(mode.to))
        same("authenticated", metadata["authenticated"], "authcrypt" in kinds or "signed" in kinds)
        same("non_repudiation", metadata["non_repudiation"], "signed" in kinds)
        same("anonymous_sender", metadata["anonymous_sender"], "anoncrypt" in kinds)
        same("sign_from", metadata.get("sign_from"), SIGNATURES.get(mode.sign))
        if mode.sign:
            same("sign_alg", metadata["sign_alg"], mode.sign)
        if "anoncrypt" in kinds:
            same("enc", metadata["enc_alg_anon"], ANONYMOUS[mode.enc or "A256CBC-HS512"])
        if mode.to:
            listed = [recipient["header"]["kid"] for recipient in json.loads(envelope)["recipients"]]
            same("keys", listed, self.keys_used(mode))
        if "authcrypt" in kinds:
            same("sender's key", metadata["encrypted_from_kid"], self.sender_key(mode))
        self.refused_by("peer", envelope,
                        lambda bad: self.peer.call("unpack", envelope=bad, own=[bob]), PeerError)
        self.cases += 1

    def from_peer(self, mode, bob, message, envelope):
        opened = self.kith.unpack(envelope, [bob])
        metadata = opened["metadata"]
        same("Kith's message", unpadded(opened["message"]), message)
        layers = [(layer["kind"], layer["alg"]) for layer in metadata["envelopes"]]
        same("layers", layers, mode.peer_layers)
        kinds = [kind for kind, _ in layers]
        same("encrypted", metadata["encrypted"], bool(mode.to))
        same("authenticated", metadata["authenticated"], "authcrypt" in kinds or "signed" in kinds)
        same("non_repudiation", metadata["non_repudiation"], "signed" in kinds)
        same("anonymous_sender", metadata["anonymous_sender"], kinds[:1] == ["anoncrypt"])
        same("sign_from", metadata.get("sign_from"), SIGNATURES.get(mode.sign))
        if mode.sign:
            check(metadata["signed_message"], "the evidence is missing")
        if metadata["authenticated"]:
            same("sender", metadata["sender"], ALICE)
        if "anoncrypt" in kinds:
            same("enc", metadata["envelopes"][0]["enc"], mode.enc or "XC20P")
        if "authcrypt" in kinds:
            enc = metadata["envelopes"][kinds.index("authcrypt")]["enc"]
            same("enc", enc, "A256CBC-HS512")
            check(metadata["encrypted_from_kid"].startswith(ALICE + "#"), "whose key?")
        if mode.to:
            check(metadata["encrypted_to_kid"].startswith(bob + "#"), "whose key?")
        for warning in mode.warnings:
            check(warning in metadata["warnings"], f"no warning {warning}: {metadata['warnings']}")
        self.refused_by("Kith", envelope, lambda bad: self.kith.unpack(bad, [bob]), KithError)
        self.cases += 1

    def refused_by(self, side, envelope, unpack, refusal):
        """Every damaged form of `envelope` is refused."""
        for what, bad in damaged(envelope):
            try:
                unpack(bad)
            except refusal:
                self.refusals += 1
            else:
                raise AssertionError(f"{side} opened an envelope whose {what} was altered")

    def keys_used(self, mode):
        """Of Kith: all of the recipient's keys on one curve."""
        document = self.kith.documents[BOB[mode.to]]
        curve = {"mixed": "X25519", "several": "X25519"}.get(mode.to, mode.to)
        return [method["id"] for method in document["verificationMethod"]
                if method["publicKeyJwk"]["crv"] == curve and method["id"] in document["keyAgreement"]]

    def sender_key(self, mode):
        return ALICE + ("#key-2" if mode.to == "P-256" else "#key-1")

    # What is more than a mode

    def forwards(self):
        """A message for Bob in a forward for the mediator, in both directions."""
        bob = BOB["X25519"]
        message = self.message(bob)
        routed = {**self.kith.documents[bob], "service": [
            {"id": bob + "#service", "type": "DIDCommMessaging", "serviceEndpoint": {
                "uri": "https://mediator.example", "accept": ["didcomm/v2"],
                "routingKeys": [MEDIATOR]}}]}
        self.peer.call("know", document=routed)
        packed = self.peer.call("pack_encrypted", message=message, to=bob, own=[ALICE],
                                options={"forward": True}, **{"from": ALICE})
        same("service", packed["metadata"]["messaging_service"]["service_endpoint"],
             "https://mediator.example")
        outer = self.kith.unpack(packed["envelope"], [MEDIATOR])["message"]
        same("type", outer["type"], "https://didcomm.org/routing/2.0/forward")
        same("next", outer["body"]["next"], bob)
        inner = outer["attachments"][0]["data"]["json"]
        same("the forwarded message", self.kith.unpack(inner, [bob])["message"], message)
        self.refused_by("Kith", packed["envelope"],
                        lambda bad: self.kith.unpack(bad, [MEDIATOR]), KithError)

        envelope = self.kith.pack(message, [ALICE], "--from", ALICE, "--to", bob)
        forward = {"id": "f1", "type": "https://didcomm.org/routing/2.0/forward", "to": [MEDIATOR],
                   "body": {"next": bob},
                   "attachments": [{"data": {"json": json.loads(envelope)}}]}
        outer = self.kith.pack(forward, [], "--to", MEDIATOR)
        opened = self.peer.call("unpack", envelope=outer, own=[MEDIATOR])
        same("next", opened["forward"]["next"], bob)
        inner = self.peer.call("unpack", envelope=json.dumps(opened["forward"]["forwarded_msg"]), own=[bob])
        same("the forwarded message", unpadded(inner["message"]), message)
        self.refused_by("peer", outer,
                        lambda bad: self.peer.call("unpack", envelope=bad, own=[MEDIATOR]), PeerError)
        self.cases += 2

    def rotation(self):
        """A message of a DID that was another before. The proof goes through both."""
        bob = BOB["X25519"]
        claims = {"iss": OLD, "sub": ALICE, "iat": int(time.time())}
        made = self.peer.call("from_prior", claims=claims, own=[OLD])
        message = self.message(bob, from_prior=made["jwt"])
        packed = self.peer.call("pack_encrypted", message=message, to=bob, own=[ALICE],
                                **{"from": ALICE})
        opened = self.kith.unpack(packed["envelope"], [bob])
        same("Kith's from_prior", opened["metadata"]["from_prior"], {**claims, "kid": made["kid"]})
        same("Kith's message", opened["message"], message)

        opened = self.peer.call("unpack", own=[bob], envelope=self.kith.pack(
            message, [ALICE], "--from", ALICE, "--to", bob))
        same("the peer's from_prior", opened["metadata"]["from_prior"], claims)
        same("the peer's issuer", opened["metadata"]["from_prior_issuer_kid"], made["kid"])

        head, body, signature = made["jwt"].split(".")
        middle = len(signature) // 2
        other = "A" if signature[middle] != "A" else "B"
        forged = ".".join([head, body, signature[:middle] + other + signature[middle + 1:]])
        bad = {**message, "from_prior": forged}
        packed = self.kith.pack(bad, [ALICE], "--from", ALICE, "--to", bob)
        for side, unpack, refusal in (
                ("Kith", lambda: self.kith.unpack(packed, [bob]), KithError),
                ("peer", lambda: self.peer.call("unpack", envelope=packed, own=[bob]), PeerError)):
            try:
                unpack()
            except refusal:
                self.refusals += 1
            else:
                raise AssertionError(f"{side} believed a forged from_prior")
        self.cases += 2

    def planted_faults(self):
        """What the checks above must notice: an opener that takes everything, a message that came out
        otherwise, an envelope that was sealed otherwise."""
        bob = BOB["X25519"]
        message = self.message(bob)
        envelope = self.kith.pack(message, [ALICE], "--to", bob)
        anonymous = Mode("anoncrypt", [("anoncrypt", ES)], to="X25519", enc="A256CBC-HS512")
        claimed = Mode("authcrypt", [("authcrypt", ONE_PU)], to="X25519", sender=True)
        other = {**message, "body": {}}
        for fault, attempt in (
                ("an opener of everything",
                 lambda: self.refused_by("nobody", envelope, lambda bad: bad, KithError)),
                ("another message to the peer",
                 lambda: self.from_kith(anonymous, bob, other, envelope)),
                ("another message to Kith", lambda: self.from_peer(anonymous, bob, other, envelope)),
                ("no sender for the peer",
                 lambda: self.from_kith(claimed, bob, message, envelope)),
                ("no sender for Kith", lambda: self.from_peer(claimed, bob, message, envelope))):
            try:
                attempt()
            except AssertionError:
                continue
            raise RuntimeError(f"this test does not notice {fault}")

    def deviations(self):
        """docs/interop.md: curves that the peer has not."""
        for curve in ("P-384", "P-521"):
            carol = f"did:example:carol-{curve}"
            self.party(carol, agree=[curve])
            message = {**self.message(carol)}
            del message["from"]
            envelope = self.kith.pack(message, [], "--to", carol)
            same("curve", header(envelope)["epk"]["crv"], curve)
            same("Kith's own message", unpadded(self.kith.unpack(envelope, [carol])["message"]),
                 message)
            for attempt in (lambda: self.peer.call("unpack", envelope=envelope, own=[carol]),
                            lambda: self.peer.call("pack_encrypted", message=message, to=carol,
                                                   own=[])):
                try:
                    attempt()
                except PeerError:
                    self.refusals += 1
                else:
                    raise AssertionError(f"the peer knows {curve} now: docs/interop.md")


def main(program):
    node, packages = needed(TEST, "didcomm-node")
    with tempfile.TemporaryDirectory(prefix="kith-interop-") as directory:
        with Peer("didcomm_node_peer.mjs", node, packages) as peer:
            bench = Bench(KithTool(program, directory), peer)
            bench.party(ALICE, agree=["X25519", "P-256"], sign=["Ed25519", "P-256", "secp256k1"])
            bench.party(OLD, agree=["X25519"], sign=["Ed25519"])
            bench.party(MEDIATOR, agree=["X25519"])
            for name, did in BOB.items():
                bench.party(did, agree=AGREEMENT[name], sign=["Ed25519"])
            bench.planted_faults()
            for mode in modes():
                try:
                    bench.both(mode)
                except Exception:
                    print(f"in mode: {mode.name}")
                    raise
            bench.forwards()
            bench.rotation()
            bench.deviations()
    print(f"{TEST}: {bench.cases} envelopes crossed, {bench.refusals} bad ones were refused")


if __name__ == "__main__":
    main(sys.argv[1])
