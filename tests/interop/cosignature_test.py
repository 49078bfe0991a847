#!/usr/bin/env python3
"""A second reader of checkpoints and cosignatures (cosignature.mjs) makes of a checkpoint that Kith's
witnesses cosigned what Kith says of it. What it must notice is planted: every byte of the note changed
once, another witness's key, another log's.
"""

import base64
import json
import subprocess
import sys

from peers import HERE, node_program

TEST = "interop/cosignature"
READING_S = 60
SAMPLE = HERE / "cosigned_checkpoint.json"


def read(node, cases):
    """What the reader says of each (note, log, witnesses)."""
    told = "\n".join(json.dumps({"note": base64.b64encode(note).decode(), "log": log, "witnesses": witnesses})
                     for note, log, witnesses in cases)
    done = subprocess.run([node, str(HERE / "cosignature.mjs")], input=told, capture_output=True, text=True,
                          check=True, timeout=READING_S)
    return [json.loads(line) for line in done.stdout.splitlines()]


def planted_faults(note, log, witnesses):
    """(what was planted, note, log, witnesses)"""
    for at in range(len(note)):
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
    faults = list(planted_faults(note, log, witnesses))
    found, *others = read(node, [(note, log, witnesses), *(told for _, *told in faults)])
    if found != sample["expected"]:
        print(f"{TEST}: {found} instead of {sample['expected']}")
        return 1
    if len(others) != len(faults):
        print(f"{TEST}: {len(others)} answers to {len(faults)} questions")
        return 1
    missed = [what for (what, *_), other in zip(faults, others) if other == found]
    for what in missed:
        print(f"this test does not notice: {what}")
    print(f"{TEST}: {len(found['witnesses'])} cosignatures read alike, "
          f"{len(faults) - len(missed)} of {len(faults)} planted faults noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
