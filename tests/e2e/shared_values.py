"""Compares the records of two homes value by value: what stands in both, whatever its form.

A value counts as the bytes it stands for: raw, and where it is text also what its parts mean in
hexadecimal, base64 and base64url. Two values are the same if one meaning is equal, byte for byte;
a part of a longer value is another value.
"""

import base64
import binascii
import re

SHORTEST_BYTES = 16  # Shorter ones are equal by chance or habit.
PART = re.compile(rb"[0-9A-Za-z+/_=-]+")
WORD = re.compile(rb"[0-9A-Za-z_-]+")


def decoded(text):
    """What a part of a text may stand for besides itself."""
    found = set()
    if re.fullmatch(rb"([0-9a-fA-F]{2})+", text):
        found.add(bytes.fromhex(text.decode()))
    bare = text.rstrip(b"=")
    padded = bare + b"=" * (-len(bare) % 4)
    for altchars in (b"+/", b"-_"):
        try:
            found.add(base64.b64decode(padded, altchars=altchars, validate=True))
        except (binascii.Error, ValueError):
            pass
    return found


def meanings(value):
    """All byte strings of at least SHORTEST_BYTES that `value` (bytes) stands for."""
    found = {value}
    # In text (a DID, a URL, JSON) the parts between its marks are values too.
    if value and all(0x20 <= byte < 0x7F or byte in b"\t\n\r" for byte in value):
        for part in {*PART.findall(value), *WORD.findall(value)}:
            found |= {part} | decoded(part)
    return {one for one in found if len(one) >= SHORTEST_BYTES}


def values(records, allowed=()):
    """{meaning: path of one value that has it}. `records`: as kith-dump-home prints them. `allowed`:
    regular expressions for whole paths ("collection/member/...") that do not count."""
    found = {}
    for record in records:
        for path, value in record["fields"].items():
            where = record["collection"] + path
            if isinstance(value, str) and not any(re.fullmatch(one, where) for one in allowed):
                for meaning in meanings(bytes.fromhex(value)):
                    found.setdefault(meaning, where)
    return found


def shared(one, other, allowed=()):
    """["path = path: hex of the value"] of every meaning in both."""
    mine, theirs = values(one, allowed), values(other, allowed)
    return sorted(f"{mine[value]} = {theirs[value]}: {value.hex()}"
                  for value in mine.keys() & theirs.keys())


def check_itself():
    """Every form of one value is found in every other; a near miss is not."""
    secret = bytes(range(1, 33))
    url = base64.urlsafe_b64encode(secret + b"\xff\xfe")
    spellings = [secret, secret.hex().encode(), secret.hex().upper().encode(),
                 base64.b64encode(secret), base64.b64encode(secret).rstrip(b"="),
                 b'{"k": "' + secret.hex().encode() + b'"}']

    def record(value):
        return [{"collection": "share", "id": "1", "fields": {"/x": value.hex()}}]
    missed = [(a, b) for a in spellings for b in spellings
              if not shared(record(a), record(b))]
    assert not missed, f"the comparison does not see these as equal: {missed}"
    assert shared(record(b"https://x.example/?oob=" + url), record(secret + b"\xff\xfe"))
    assert shared(record(b"a.Ez:" + secret.hex().encode()), record(secret))
    for near in (secret[:-1], secret + b"\0", secret[1:], secret[:15]):
        assert not shared(record(secret), record(near)), f"a near miss counts as equal: {near}"
    assert not shared(record(b"short"), record(b"short"))
    assert not shared(record(secret), record(secret), allowed=["share/x"])
    assert shared(record(secret), record(secret), allowed=["share/", "share/xx", "/x"])
