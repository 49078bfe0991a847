"""Looks for values in files, captured bytes and logs, in every form in which they might slip out:
raw, hexadecimal, base64 and base64url at each of the three alignments."""

import base64
from pathlib import Path

MIN_BYTES = 6  # Shorter ones are found by chance.


def forms(secret):
    """All byte strings that betray `secret`."""
    if isinstance(secret, str):
        secret = secret.encode()
    assert len(secret) >= MIN_BYTES, f"too short to search for: {secret!r}"
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):
        # Characters that also depend on the neighbours are cut off at both ends.
        text = base64.b64encode(bytes(shift) + secret)
        head = (0, 2, 3)[shift]
        tail = ((shift + len(secret)) // 3) * 4
        core = text[head:tail]
        if len(core) >= MIN_BYTES:
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Search:
    """`secrets`: {what it is: value}."""

    def __init__(self, secrets):
        self.needles = [(what, form) for what, value in secrets.items() for form in forms(value)]

    def in_bytes(self, place, data):
        """[(what, place)] for everything found."""
        return sorted({(what, place) for what, form in self.needles if form in data})

    def in_tree(self, directory):
        found = []
        for path in sorted(Path(directory).rglob("*")):
            try:
                if path.is_file():
                    found += self.in_bytes(str(path), path.read_bytes())
            except FileNotFoundError:  # LevelDB drops files while it works.
                pass
            # Names of files count too.
            found += self.in_bytes(f"name of {path}", path.name.encode())
        return found
