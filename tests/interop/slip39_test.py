#!/usr/bin/env python3
"""`kith slip39` and npm's slip39, both ways: what one splits, the other combines, for all sizes, with and
without groups, passphrase and the extendable flag."""

import random
import subprocess
import sys

from peers import Peer, PeerError, needed

TEST = "interop/slip39"
SHAPES = [(1, [[1, 1]]), (1, [[2, 3]]), (2, [[1, 1], [3, 5]]), (3, [[16, 16], [2, 2], [1, 1], [4, 6]])]


class Tool:
    def __init__(self, program):
        self.program = program

    def run(self, *words, text=""):
        done = subprocess.run([self.program, "slip39", *words], input=text, capture_output=True, text=True,
                              check=False, timeout=60)
        return done.returncode, done.stdout

    def split(self, secret, threshold, groups, passphrase, exponent, extendable):
        words = ["split", "--secret-hex", secret, "--group-threshold", str(threshold), "--passphrase",
                 passphrase, "--exponent", str(exponent), *([] if extendable else ["--no-extendable"])]
        for needed_here, count in groups:
            words += ["--group", f"{needed_here}/{count}"]
        code, out = self.run(*words)
        assert code == 0, code
        return [group.splitlines() for group in out.rstrip("\n").split("\n\n")]

    def combine(self, mnemonics, passphrase):
        code, out = self.run("combine", "--passphrase", passphrase, text="\n".join(mnemonics) + "\n")
        assert code == 0, code
        return out.strip()


def enough(rng, threshold, shape, groups):
    """Mnemonics of as many groups as are needed, in any order."""
    chosen = []
    for place in rng.sample(range(len(groups)), threshold):
        chosen += rng.sample(groups[place], shape[place][0])
    rng.shuffle(chosen)
    return chosen


def main(program):
    node, packages = needed(TEST, "slip39")
    tool = Tool(program)
    rng = random.Random(39)
    with Peer("slip39_peer.mjs", node, packages) as peer:
        for size in (16, 18, 32, 64):
            for threshold, shape in SHAPES:
                for extendable in (True, False):
                    secret = rng.randbytes(size).hex()
                    passphrase = rng.choice(["", "TREZOR", "a longer phrase, with signs: ~!"])
                    exponent = rng.choice([0, 1, 2])
                    ours = tool.split(secret, threshold, shape, passphrase, exponent, extendable)
                    assert [len(group) for group in ours] == [count for _, count in shape]
                    chosen = enough(rng, threshold, shape, ours)
                    found = peer.call("combine", mnemonics=chosen, passphrase=passphrase)["secret"]
                    assert found == secret, f"slip39 read {found}, and not {secret}"

                    theirs = peer.call("split", secret=secret, threshold=threshold, groups=shape,
                                       passphrase=passphrase, exponent=exponent,
                                       extendable=extendable)["groups"]
                    found = tool.combine(enough(rng, threshold, shape, theirs), passphrase)
                    assert found == secret, f"Kith read {found}, and not {secret}"
                    assert tool.combine(enough(rng, threshold, shape, theirs), passphrase + "x") != secret

        # Altered ones, by each of them.
        words = ours[0][0].split()
        words[7] = "zero" if words[7] != "zero" else "academic"
        altered = [" ".join(words)]
        assert tool.run("combine", text=altered[0])[0] == 1
        try:
            peer.call("combine", mnemonics=altered, passphrase="")
            raise AssertionError("slip39 took an altered mnemonic")
        except PeerError:
            pass
    print("slip39: the same both ways")


if __name__ == "__main__":
    main(sys.argv[1])
