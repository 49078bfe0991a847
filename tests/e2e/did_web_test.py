#!/usr/bin/env python3
"""An agent that is no Kith and whose DID is a document on a web server, under TLS with a CA of our
own: its message waits for the document, is answered, and is refused where keys or certificate are
false. Then its invitation is accepted.

In test mode a did:web of this machine is asked over http; the server leads to its https side.
"""

import base64
import http.server
import json
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from certificates import make_certificates
from kith_process import Workbench, wait_for
from transports_test import free_port

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))
from peers import KithError, KithTool  # noqa: E402

PING = "https://didcomm.org/trust-ping/2.0/"
ENVELOPE = "application/didcomm-encrypted+json"


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass


class WebServer:
    """`documents` by path, over TLS alone; the plain side leads there and takes messages in."""

    def __init__(self, files):
        self.files = files
        self.documents = {}
        self.fetches = []
        self.letters = []
        self.alerts = []  # Of clients that did not like the certificate.
        owner = self

        class Plain(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", f"https://127.0.0.1:{owner.tls_port}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                owner.letters.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Secure(Plain):
            def setup(self):
                try:
                    self.request.do_handshake()
                except ssl.SSLError as error:
                    owner.alerts.append(str(error.reason))
                    raise
                super().setup()

            def do_GET(self):
                owner.fetches.append(self.path)
                document = owner.documents.get(self.path)
                body = json.dumps(document).encode() if document else b""
                self.send_response(200 if document else 404)
                self.send_header("Content-Type", "application/did+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.plain = QuietServer(("127.0.0.1", 0), Plain)
        self.secure = QuietServer(("127.0.0.1", 0), Secure)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.secure.socket = self.context.wrap_socket(
            self.secure.socket, server_side=True, do_handshake_on_connect=False)
        for server in (self.plain, self.secure):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.plain.server_address[1]

    @property
    def tls_port(self):
        return self.secure.server_address[1]

    def certificate(self, name):
        """For connections from now on."""
        self.context.load_cert_chain(self.files / name, self.files / "server.key")

    def close(self):
        for server in (self.plain, self.secure):
            server.shutdown()
            server.server_close()


def x25519_key(kid):
    """(private JWK, public JWK)"""
    def openssl(*words, data=None):
        return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout
    private = openssl("genpkey", "-algorithm", "X25519", "-outform", "DER")
    public = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=private)
    def b64(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    # Both forms of RFC 8410 end in the 32 bytes of the key.
    jwk = {"kty": "OKP", "crv": "X25519", "x": b64(public[-32:])}
    return {**jwk, "d": b64(private[-32:]), "kid": kid}, jwk


def party(did, uri):
    """Keys and document of an agent with that DID."""
    kid = did + "#agree"
    private, public = x25519_key(kid)
    return {"secrets": [private], "document": {
        "id": did,
        "verificationMethod": [{"id": kid, "type": "JsonWebKey2020", "controller": did,
                                "publicKeyJwk": public}],
        "keyAgreement": [kid],
        "service": [{"id": did + "#mail", "type": "DIDCommMessaging",
                     "serviceEndpoint": {"uri": uri, "accept": ["didcomm/v2"]}}]}}


def post(url, envelope):
    """The status."""
    request = urllib.request.Request(url, envelope.encode(), {"Content-Type": ENVELOPE})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def message(kind, sender, recipient, **members):
    return {"id": str(uuid.uuid4()), "type": kind, "typ": "application/didcomm-plain+json",
            "from": sender, "to": [recipient], "body": {}, **members}


def inviter_of(url):
    padded = url.split("_oob=")[1]
    return json.loads(base64.urlsafe_b64decode(padded + "=" * (-len(padded) % 4)))["from"]


def invitation_from(did):
    text = json.dumps({"type": "https://didcomm.org/out-of-band/2.0/invitation", "from": did,
                       "id": str(uuid.uuid4()), "typ": "application/didcomm-plain+json",
                       "body": {"accept": ["didcomm/v2"], "goal_code": "connect", "goal": "Talk"}})
    return "https://wanda.example/?_oob=" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(tool, server, own):
    """What came for `own`, the newest first."""
    return [tool.unpack(letter, own)["message"] for letter in reversed(server.letters)]


def parked_until_vouched_for(bob, server, wanda, tool, did):
    me = wanda["document"]["id"]
    ping = message(PING + "ping", me, did)
    server.certificate("false.pem")
    assert post(bob.address, tool.pack(ping, [me], "--to", did, "--from", me)) == 202
    wait_for("Bob refuses the false certificate", lambda: server.alerts)
    assert any("UNKNOWN_CA" in alert for alert in server.alerts), server.alerts
    assert not server.letters and not server.fetches, (server.letters, server.fetches)
    server.certificate("server.pem")
    wait_for("Bob answers", lambda: server.letters)
    answer = opened(tool, server, [me])[0]
    assert answer["type"] == PING + "ping-response" and answer["thid"] == ping["id"], answer
    assert answer["from"] == did, answer
    assert server.fetches == ["/.well-known/did.json"], server.fetches

    again = message(PING + "ping", me, did)
    assert post(bob.address, tool.pack(again, [me], "--to", did, "--from", me)) == 202
    wait_for("Bob answers again", lambda: opened(tool, server, [me])[0]["thid"] == again["id"])
    assert len(server.fetches) == 1, "the document is known by then"


def false_keys(bob, server, wanda, did, tool):
    """Mallory says that she is Wanda."""
    me = wanda["document"]["id"]
    mallory = KithTool(bob.bench.kith, bob.bench.directory / "mallory")
    mallory.directory.mkdir()
    mallory.documents = dict(tool.documents)
    mallory.add(party(me, "http://127.0.0.1/"))
    letters = len(server.letters)
    lie = message(PING + "ping", me, did)
    assert post(bob.address, mallory.pack(lie, [me], "--to", did, "--from", me)) == 400
    nobody = party(me + ":nobody", "http://127.0.0.1/")
    mallory.add(nobody)
    other = nobody["document"]["id"]
    lie = message(PING + "ping", other, did)
    assert post(bob.address, mallory.pack(lie, [other], "--to", did, "--from", other)) == 202
    dropped = wait_for("it is dropped", lambda: bob.events("envelope.dropped"))
    assert [entry["details"]["code"] for entry in dropped] == ["not_found"], dropped
    assert len(server.letters) == letters
    try:
        tool.unpack(mallory.pack(lie, [other], "--to", did, "--from", other), [me])
        raise AssertionError("that was for Bob")
    except KithError:
        pass


def accepted(bob, server, wanda, tool):
    me = wanda["document"]["id"]
    refusal = bob.refuses("accept", invitation_from(me + ":nobody"), "--wait", "0")
    assert refusal.exit_code == 4 and "no such document" in refusal.message, refusal
    assert not bob.contacts()
    letters = len(server.letters)
    bob.kith("accept", invitation_from(me), "--name", "Wanda", "--wait", "0")
    wait_for("the request", lambda: len(server.letters) > letters)
    request = opened(tool, server, [me])[0]
    assert request["type"] == "https://w3id.org/kith/connection/1.0/request", request
    assert bob.contacts()["Wanda"]["state"] == "requested"


def main(build):
    with Workbench(build) as bench:
        files = make_certificates(bench.directory / "tls")
        server = WebServer(files)
        bob = bench.node("Bob")
        bob.init("--wait", "0", "--tls-ca", files / "ca.pem")
        port = free_port()
        bob.address = f"http://127.0.0.1:{port}/"
        bob.start("--listen", f"127.0.0.1:{port}", "--public-url", bob.address)
        did = inviter_of(bob.kith("invite")["url"])
        wanda = party(f"did:web:127.0.0.1%3A{server.port}", f"http://127.0.0.1:{server.port}/")
        server.documents["/.well-known/did.json"] = wanda["document"]
        (bench.directory / "wanda").mkdir()
        tool = KithTool(bench.kith, bench.directory / "wanda")
        tool.add(wanda)
        parked_until_vouched_for(bob, server, wanda, tool, did)
        false_keys(bob, server, wanda, did, tool)
        accepted(bob, server, wanda, tool)
        bob.stop()
        server.close()
    print("did:web: as told")


if __name__ == "__main__":
    main(sys.argv[1])
