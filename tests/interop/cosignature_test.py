#!/usr/bin/env python3
"""A second reader of checkpoints and cosignatures (cosignature.mjs) makes of a checkpoint that Kith's
witnesses cosigned what Kith says of it. What it must notice is planted: every byte of the note changed
once, another witness's key, another log's.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import HERE, node_program

TEST = "interop/cosignature"
READING_S = 60
SAMPLE = HERE / "cosigned_checkpoint.json"


def read(node, directory, note, log, witnesses):
    """What the reader says; None if it refuses."""
    path = directory / "note"
    path.write_bytes(note)
    done = subprocess.run([node, str(HERE / "cosignature.mjs"), str(path), log, *witnesses],
                          capture_output=True, text=True, check=False, timeout=READING_S)
    return json.loads(done.stdout) if done.returncode == 0 else None


def planted_faults(note, log, witnesses):
    """(what was planted, note, log, witnesses)"""
    for at in range(0, len(note), 3):
        changed = bytearray(note)
        changed[at] ^= 1
        yield f"byte {at}", bytes(changed), log, witnesses
    other = witnesses[-1]
    yield "another witness", note, log, [other[:-8] + "AAAAAAA="]
    yield "a witness's key as the log's", note, other, witnesses
    yield "the log's key as a witness's", note, log, [log]
    yield "cut", note[:-1], log, witnesses


def main():
    node = node_program(TEST, "test")
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    note, log, witnesses = sample["note"].encode(), sample["log"], sample["witnesses"]
    with tempfile.TemporaryDirectory(prefix="kith-cosignature-") as name:
        directory = Path(name)
        found = read(node, directory, note, log, witnesses)
        if found != sample["expected"]:
            print(f"{TEST}: {found} instead of {sample['expected']}")
            return 1
        faults = list(planted_faults(note, log, witnesses))
        missed = [what for what, *told in faults if read(node, directory, *told) == found]
    for what in missed:
        print(f"this test does not notice: {what}")
    print(f"{TEST}: {len(found['witnesses'])} cosignatures read alike, "
          f"{len(faults) - len(missed)} of {len(faults)} planted faults noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
