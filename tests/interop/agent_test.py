#!/usr/bin/env python3
"""An agent of another make (Node.js, didcomm-node) lives on a Kith mediator: it gets mediation, talks
to a Kith agent and to one of its own kind, goes away, comes back to its mail, and waits for more on
a WebSocket. With coordinate-mediation 3.0 and messagepickup 3.0, then with coordinate-mediation 2.0 and
message-pickup 4.0."""

import json
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from peers import Peer, PeerError, decoded, needed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from acts import mail_ready  # noqa: E402
from kith_process import Workbench, wait_for  # noqa: E402

TEST = "interop/agent"
PING = "https://didcomm.org/trust-ping/2.0/ping"
PONG = "https://didcomm.org/trust-ping/2.0/ping-response"
TEXT = "https://didcomm.org/basicmessage/2.0/message"
DELIVERY_REQUEST = "https://didcomm.org/messagepickup/3.0/delivery-request"


def same(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def registered(agent, mediator, version, pickup):
    """Mediation for one more agent; its DID."""
    made = agent.call("mediate", url=mediator.url, version=version, pickup=pickup)
    same("goal", made["goal"], "mediate")
    same("updated", made["updated"],
         [{"recipient_did": made["did"], "action": "add", "result": "success"}])
    same("shape of the grant", type(made["granted"]["routing_did"]),
         {"2.0": str, "3.0": list}[version])
    same("registered", agent.call("registered")["dids"], [made["did"]])
    same("mail", agent.call("status")["message_count"], 0)
    return made["did"]


def texts(mails):
    """Bodies of authenticated messages."""
    for mail in mails:
        assert mail["metadata"]["authenticated"] and mail["metadata"]["encrypted"], mail["metadata"]
    return [mail["message"]["body"].get("content") for mail in mails]


def taken(peer, message_type, body, recipient):
    """The message as sent, or nothing if its recipient is not registered yet: try again (503)."""
    try:
        return peer.call("send", type=message_type, body=body, to=recipient)
    except PeerError as error:
        if not str(error).startswith("Error: 503 "):
            raise
        return None


def story(start, mediator, alice, version, pickup):
    """`start` begins a session of a new agent; `alice` is a Kith agent."""
    with start() as otto:
        otto_did = registered(otto, mediator, version, pickup)
        with start() as nina:
            nina_did = registered(nina, mediator, version, pickup)
            saved = nina.call("save")
        # Nina is away now.
        for text in ("one", "two", "three"):
            sent = otto.call("send", type=TEXT, body={"content": text}, to=nina_did)
            same("taken", sent["status"], 202)
        with start() as nina:
            nina.call("restore", saved=saved)
            same("mail", nina.call("status")["message_count"], 3)
            found = nina.call("pickup")
            same("texts", texts(found["mails"]), ["one", "two", "three"])
            same("senders", {mail["message"]["from"] for mail in found["mails"]}, {otto_did})
            same("mail left", found["status"]["message_count"], 0)
            same("the second time", nina.call("pickup")["mails"], [])
            alice_did = invitation_did(alice)
            ping = wait_for("the mediator takes mail for the invitation",
                            lambda: taken(nina, PING, {"response_requested": True}, alice_did))
        # Nina left with her question; the answer waits for her.
        with start() as nina:
            nina.call("restore", saved=saved)
            pongs = wait_for("Alice's answer is there", lambda: nina.call("pickup")["mails"])
            same("answer", [mail["message"]["type"] for mail in pongs], [PONG])
            same("thread", pongs[0]["message"]["thid"], ping["id"])
            same("sender", pongs[0]["message"]["from"], alice_did)
            live(nina, otto, nina_did, alice_did)
        strangers(otto, nina_did)


def live(nina, otto, nina_did, alice_did):
    """Mail comes by itself while she waits, and is kept for her when the line breaks."""
    same("live", nina.call("live")["live_delivery"], True)
    for text in ("live one", "live two"):
        otto.call("send", type=TEXT, body={"content": text}, to=nina_did)
        same("live", texts([nina.call("next_live")]), [text])
    ping = nina.call("send", type=PING, body={"response_requested": True}, to=alice_did)
    pong = nina.call("next_live")
    same("answer", (pong["message"]["type"], pong["message"]["thid"]), (PONG, ping["id"]))
    wait_for("nothing is left in the mailbox",
             lambda: nina.call("status")["message_count"] == 0)
    nina.call("close")
    otto.call("send", type=TEXT, body={"content": "after the line broke"}, to=nina_did)
    same("fetched", texts(nina.call("pickup")["mails"]), ["after the line broke"])


def strangers(otto, nina_did):
    """What others may not: have Nina's mail, or take her address."""
    otto.call("send", type=TEXT, body={"content": "for Nina alone"}, to=nina_did)
    same("Otto's own mail", otto.call("pickup")["mails"], [])
    asked = otto.call("ask", type=DELIVERY_REQUEST, body={"limit": 1, "recipient_did": nina_did})
    assert asked["type"].endswith("/status"), asked
    taken = otto.call("ask", type="https://didcomm.org/coordinate-mediation/3.0/recipient-update",
                      body={"updates": [{"recipient_did": nina_did, "action": "add"}]})
    assert taken["body"]["updated"][0]["result"] != "success", taken
    try:
        otto.call("ask", type=DELIVERY_REQUEST, body={"limit": 0})
    except PeerError as refusal:
        same("kind of refusal", refusal.name, "ProblemReport")
        assert "e.p." in str(refusal) or "e.m." in str(refusal), refusal
    else:
        raise AssertionError("a request for no message was not refused")


def invitation_did(node):
    """The DID behind a fresh invitation of a Kith agent: whoever knows it may ping it."""
    url = node.kith("invite", "--name", "somebody")["url"]
    packed = parse_qs(urlsplit(url).query)["_oob"][0]
    return json.loads(decoded(packed))["from"]


def main(build):
    node, packages = needed(TEST, "didcomm-node")
    with Workbench(build) as bench:
        mediator = bench.mediator()
        alice = bench.person("Alice", mediator)
        mail_ready(alice)
        for version, pickup in (("3.0", "3.0"), ("2.0", "4.0")):
            story(lambda: Peer("agent.mjs", node, packages), mediator, alice, version, pickup)
        for one in (alice, mediator):
            one.stop()
    print(f"{TEST}: as told")


if __name__ == "__main__":
    main(sys.argv[1])
