#!/usr/bin/env python3
"""A second reader of did:kith logs (log_reader.mjs) makes the same of every history as the first.

The reader is told what a ledger gives, never what must come out; that is compared here. What this
test must notice is planted in copies: a byte that changed in a blob, a blob that is missing, a
witness that is missing or said another time, and another expectation, each a disagreement; and
readers with one rule wrong, each of which the history that is named beside it gives away.
"""

import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import HERE, node_program

TEST = "interop/log_reader"
HISTORIES = HERE.parent / "ledger" / "histories"
READING_S = 200
# Every operation, kind of key and status; and in each all blobs matter to what comes out.
PLANTED = ("did-all-operations", "policy-all-operations", "pair-all-operations", "secp256k1",
           "veto-in-time", "recover-replaces", "super-double-veto", "duplicity", "did-deactivate",
           "move-of-a-thief", "move-back", "recover-leaves-a-dead-ledger", "witnessed-veto",
           "witnessed-veto-unanchored", "witnessed-recover", "witnessed-recover-on-a-new-ledger")
# Readers with one rule wrong, and a history that each judges otherwise.
FAULTY_READERS = (
    ("signed(rule) >= before.rules[rule]", "signed(rule) >= 1", "policy-admin-by-one-of-two"),
    ("signed(rule) >= before.rules[rule]", "signed(rule) >= 1", "policy-grant-by-one-of-two"),
    ("(BigInt(auth) & MAY[rule]) !== 0n", "true", "policy-admin-by-one-and-another"),
    ("signers.includes(self) || signed", "signed", "policy-agent-leaves"),
    ("signers.includes(self) || signed", "signed", "policy-admin-given-up"),
    ("agents.length === signers.length &&", "true &&", "policy-admin-and-a-stranger"),
    ("grant: 34n", "grant: 2n", "policy-grant-by-trustees"),
    ("revoke: 20n", "revoke: 4n", "policy-revoke-by-trustees"),
    ("admin: 72n", "admin: 8n", "policy-admin-by-trustees"),
    ("gained & PROVE || (moved && now.commitment)", "gained & PROVE",
     "policy-commitment-by-two"),
    ("[gained & ~PROVE, 'admin']", "[gained & ~PROVE, 'grant']", "policy-grant-of-granting"),
    ("lost & PROVE || (moved && old.commitment)", "lost & PROVE",
     "policy-commitment-taken-by-two"),
    ("[lost & ~PROVE, 'admin', key]", "[lost & ~PROVE, 'revoke', key]",
     "policy-admin-taken-by-revokers"),
    ("named : !old.key && !has, 'admin'", "false : !old.key && !has, 'admin'",
     "policy-grant-and-label"),
    ("named : !old.key && !has, 'admin'", "named : false, 'admin'", "policy-grant-and-a-name"),
    ("[!now.key && !had, 'admin', key]", "[!now.key && !had, 'admin']", "policy-name-leaves"),
    ("[gained & ~KNOWN, 'none']", "[0n, 'none']", "policy-grant-of-an-unknown-bit"),
    ("one.set ?? '', stay(one, other)", "one.set ?? ''", "policy-grant-and-order"),
    ("[one.rules, one.set", "[one.set", "policy-grant-and-rules"),
    ("one.set ?? '', stay", "stay", "policy-grant-and-set"),
    ("filter(isActive).length >= keys.t", "filter(isActive).length >= 1",
     "pair-update-by-one-of-two"),
    ("filter(isAgent).length >= state.revoke", "filter(isAgent).length >= 1",
     "pair-agent-is-removed-by-one"),
    ("before.ledgers.includes(entry.from) &&", "", "move-from-elsewhere-untold"),
    ("[undefined, from].includes(this.ledger)", "true", "move-read-from-the-new-ledger-alone"),
)


def read(node, histories, reader=HERE):
    """What the reader in the folder `reader` makes of each of `histories`: {name: what comes out}."""
    with tempfile.TemporaryDirectory(prefix="kith-histories-") as directory:
        files = [Path(directory) / f"{name}.json" for name in histories]
        for file, history in zip(files, histories.values()):
            told = {name: value for name, value in history.items() if name != "expected"}
            file.write_text(json.dumps(told), encoding="utf-8")
        done = subprocess.run([node, str(reader / "log_histories.mjs"), *map(str, files)],
                              capture_output=True, text=True, check=False, timeout=READING_S)
    if done.returncode != 0:
        raise AssertionError(f"the reader failed: {done.stderr}")
    lines = done.stdout.splitlines()
    if len(lines) != len(files):
        raise AssertionError(f"{len(lines)} answers for {len(files)} histories")
    return dict(zip(histories, map(json.loads, lines)))


def disagreements(node, histories, reader=HERE):
    found = read(node, histories, reader)
    return {name: (found[name], history["expected"]) for name, history in histories.items()
            if found[name] != history["expected"]}


def byte_changed(history, position):
    """The first digit or letter in the middle of a blob is another one."""
    changed = copy.deepcopy(history)
    text = changed["blobs"][position]["blob"]
    at = next(i for i in range(len(text) // 2, len(text)) if text[i].isalnum())
    other = "2" if text[at] != "2" else "3"
    changed["blobs"][position]["blob"] = text[:at] + other + text[at + 1:]
    return changed


def left_out(history, position):
    changed = copy.deepcopy(history)
    del changed["blobs"][position]
    return changed


def witnesses_changed(history):
    """As many as are needed saw a blob: one less, and one who signed something else."""
    for position, blob in enumerate(history["blobs"]):
        for i in range(len(blob.get("witnessed", []))):
            less, other = copy.deepcopy(history), copy.deepcopy(history)
            del less["blobs"][position]["witnessed"][i]
            other["blobs"][position]["witnessed"][i]["time"] -= 1
            yield f"witness {i} missing", less
            yield f"another time of witness {i}", other


def other_expectations(history):
    for member, value in history["expected"].items():
        changed = copy.deepcopy(history)
        if member == "status":
            changed["expected"][member] = "pending" if value != "pending" else "normal"
        elif member == "n":
            changed["expected"][member] = value + 1
        else:
            changed["expected"][member] = value[1:] if value else [0]
        yield member, changed


def planted_faults(histories):
    """{what was planted: the history with it}"""
    faults = {}
    for name in PLANTED:
        history = histories[name]
        # A blob that is junk as it is may change and stay so; its absence shows all the same.
        junk = set(history["expected"]["junk"]) - set(history["expected"]["evidence"])
        for position in range(len(history["blobs"])):
            if position not in junk:
                faults[f"{name}: byte in {position}"] = byte_changed(history, position)
            faults[f"{name}: without {position}"] = left_out(history, position)
        for what, changed in witnesses_changed(history):
            faults[f"{name}: {what}"] = changed
        for member, changed in other_expectations(history):
            faults[f"{name}: {member} expected otherwise"] = changed
    return faults


def unnoticed_readers(node, histories):
    """The faulty readers that judge their history as it is told."""
    text = (HERE / "log_reader.mjs").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="kith-readers-") as directory:
        folder = Path(directory)
        for name in ("log_values.mjs", "log_histories.mjs"):
            (folder / name).write_bytes((HERE / name).read_bytes())
        for right, faulty, name in FAULTY_READERS:
            if text.count(right) != 1:
                raise AssertionError(f"the reader has {text.count(right)} times: {right}")
            (folder / "log_reader.mjs").write_text(text.replace(right, faulty), encoding="utf-8")
            if not disagreements(node, {name: histories[name]}, folder):
                yield f"a reader with {faulty or 'nothing'} for {right}, in {name}"


def main():
    node = node_program(TEST, "test")
    histories = {file.stem: json.loads(file.read_text(encoding="utf-8"))
                 for file in sorted(HISTORIES.glob("*.json"))}
    if not histories:
        raise AssertionError(f"no histories in {HISTORIES}")
    wrong = disagreements(node, histories)
    for name, (found, expected) in wrong.items():
        print(f"{name}: {found} instead of {expected}\n  {histories[name]['says']}")
    faults = planted_faults(histories)
    missed = faults.keys() - disagreements(node, faults).keys()
    blind = list(unnoticed_readers(node, histories))
    for what in sorted(missed) + blind:
        print(f"this test does not notice: {what}")
    blobs = sum(len(history["blobs"]) for history in histories.values())
    alike = len(histories) - len(wrong)
    print(f"{TEST}: {alike} of {len(histories)} histories ({blobs} blobs) read alike, "
          f"{len(faults) - len(missed)} of {len(faults)} planted faults and "
          f"{len(FAULTY_READERS) - len(blind)} of {len(FAULTY_READERS)} faulty readers noticed")
    return 1 if wrong or missed or blind else 0


if __name__ == "__main__":
    sys.exit(main())
