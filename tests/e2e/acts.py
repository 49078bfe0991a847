"""What people do together, as the demo and the tests need it: meet, set recovery up, recover.

Every function takes Nodes of kith_process.py and returns when all who take part say that it is done.
"""

from concurrent.futures import ThreadPoolExecutor

from kith_process import DEADLINE_S, wait_for

WRONG_CODE_EXIT = 6


def together(action, people):
    """The same for several people at once; the results in their order."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(action, people))


def mail_ready(person, deadline_s=DEADLINE_S):
    """The mediator keeps this person's mail."""
    wait_for(f"{person.name} has a mediator", lambda: "mediator" in person.kith("status"), deadline_s)


def identity_posted(person, deadline_s=DEADLINE_S):
    return wait_for(f"the ledger shows the identity of {person.name}",
                    lambda: _posted(person.kith("status").get("identity", {})), deadline_s)


def _posted(identity):
    return identity if identity.get("state") == "posted" else None


def meet_all(person, others, deadline_s=DEADLINE_S):
    """`person` invites each of `others`."""
    together(lambda other: person.connect(other, deadline_s), others)


def agree_to_trust(trustee, owner_name, deadline_s=DEADLINE_S):
    """The trustee finds the owner's request and accepts it."""
    def offer():
        offers = trustee.kith("trustee", "requests")["offers"]
        return next((one for one in offers if one["contact"] == owner_name), None)
    found = wait_for(f"{trustee.name} sees the request of {owner_name}", offer, deadline_s)
    trustee.kith("trustee", "accept", found["id"])


def recovery_ready(owner, deadline_s=DEADLINE_S):
    def ready():
        status = owner.kith("recovery", "status")
        return status if status["state"] == "ready" else None
    return wait_for(f"{owner.name} is ready for the loss of her device", ready, deadline_s)


def begin_setup(owner, trustees, threshold, waiting="test"):
    return owner.kith("recovery", "setup", "--threshold", threshold, "--waiting", waiting,
                      "--trustees", ",".join(trustee.name for trustee in trustees), "--wait", "0")


def set_up_recovery(owner, trustees, threshold, deadline_s=DEADLINE_S):
    begin_setup(owner, trustees, threshold)
    together(lambda trustee: agree_to_trust(trustee, owner.name, deadline_s), trustees)
    return recovery_ready(owner, deadline_s)


# A recovery

def device_session(device, trustee_name):
    sessions = device.kith("recover", "status")["sessions"]
    return next((one for one in sessions if one["trustee"] == trustee_name), None)


def trustee_session(trustee, owner_name):
    """The newest open recovery of that contact."""
    sessions = trustee.kith("trustee", "requests")["sessions"]
    found = [one for one in sessions if one["contact"] == owner_name]
    return found[-1] if found else None


def ask_trustee(device, trustee, owner_name):
    """The owner calls the trustee, who invites the new device."""
    url = trustee.kith("trustee", "invite", owner_name)["url"]
    return device.kith("recover", "add-trustee", url, "--name", trustee.name)["id"]


def codes(device, trustee, owner_name, deadline_s=DEADLINE_S):
    """Both codes: what the device's user reads out, what the trustee reads out."""
    def both():
        at_device = device_session(device, trustee.name)
        at_trustee = trustee_session(trustee, owner_name)
        if at_device and at_trustee and at_device.get("code_to_read") and at_trustee.get("code"):
            return at_device["code_to_read"], at_trustee["code"]
        return None
    return wait_for(f"{device.name} and {trustee.name} have codes to read to each other", both,
                    deadline_s)


def wrong(code):
    """Another code of the same form."""
    return "".join(str((int(digit) + 1) % 10) if digit.isdigit() else digit for digit in code)


def type_at_trustee(trustee, owner_name, code):
    session = trustee_session(trustee, owner_name)
    return trustee.kith("trustee", "approve", session["id"], "--contact", owner_name, "--code", code,
                        "--verified", "video", "--yes", also=(WRONG_CODE_EXIT,))


def type_at_device(device, trustee_name, code):
    return device.kith("recover", "code", device_session(device, trustee_name)["id"], code,
                       also=(WRONG_CODE_EXIT,))


def exchange_codes(device, trustee, owner_name, deadline_s=DEADLINE_S):
    """A video call: each reads a code to the other, who types it."""
    read_by_owner, read_by_trustee = codes(device, trustee, owner_name, deadline_s)
    assert type_at_device(device, trustee.name, read_by_trustee)["code_ok"]
    assert type_at_trustee(trustee, owner_name, read_by_owner)["code_ok"]


def answered(device, trustee_name, deadline_s=DEADLINE_S):
    """The trustee's answer is at the device."""
    def there():
        session = device_session(device, trustee_name)
        return session if session and session["state"] == "answered" else None
    return wait_for(f"the answer of {trustee_name} is there", there, deadline_s)


def approve_all(device, trustees, owner_name, deadline_s=DEADLINE_S):
    """Several trustees; their waiting periods run side by side."""
    for trustee in trustees:
        ask_trustee(device, trustee, owner_name)
    for trustee in trustees:
        exchange_codes(device, trustee, owner_name, deadline_s)
    for trustee in trustees:
        answered(device, trustee.name, deadline_s)


def approve(device, trustee, owner_name, deadline_s=DEADLINE_S):
    ask_trustee(device, trustee, owner_name)
    exchange_codes(device, trustee, owner_name, deadline_s)
    return answered(device, trustee.name, deadline_s)


def finish_recovery(device, deadline_s=DEADLINE_S):
    """Shows the candidate, takes it, and waits for the end of the job."""
    wait_for("enough answers", lambda: device.kith("recover", "status")["can_finish"], deadline_s)
    device.kith("recover", "finish", "--yes")
    if device.kith("recover", "status")["state"] not in ("finishing", "recovered"):
        device.kith("recover", "finish", "--yes")

    def done():
        status = device.kith("recover", "status")
        return status if status["state"] == "recovered" else None
    return wait_for("everything is taken over", done, deadline_s)
