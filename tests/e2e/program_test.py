#!/usr/bin/env python3
"""A program says which one it is, and a home notes when another one runs it.

    program_test.py BUILD
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import unittest

from kith_process import Workbench

BUILD = None


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Program(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Workbench(BUILD))
        # What follows the sections of a program is not read when it runs.
        self.other = self.bench.directory / "kith"
        shutil.copy(self.bench.kith, self.other)
        with self.other.open("ab") as file:
            file.write(b"\0")

    def say(self, program):
        done = subprocess.run([program, "version", "--json"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["sha256"]

    def test_it_says_its_own_digest(self):
        self.assertEqual(self.say(self.bench.kith), digest(self.bench.kith))
        self.assertEqual(self.say(self.other), digest(self.other))
        self.assertNotEqual(digest(self.other), digest(self.bench.kith))

    def test_a_home_notes_another_program(self):
        node = self.bench.node("Alice", passphrase=None)
        node.init("--no-identity")

        def life(program):
            """The entries after a start with this program, and while it has lost its name."""
            node.program = program
            node.start()
            node.stop()
            return node.events("program.changed")

        first = life(self.bench.kith)
        self.assertEqual([entry["details"]["sha256"] for entry in first], [digest(self.bench.kith)])
        self.assertEqual(life(self.bench.kith), first)
        self.assertEqual(life(self.other)[1]["details"], {
            "version": first[0]["details"]["version"], "sha256": digest(self.other),
            "version_before": first[0]["details"]["version"], "sha256_before": digest(self.bench.kith)})
        self.assertEqual(len(life(self.bench.kith)), 3)
        node.kith("audit", "verify")

    def test_it_is_the_running_one_that_counts(self):
        """Also when another has taken its name, as an update does, before it looks."""
        mine = digest(self.other)
        fifo = self.bench.directory / "fifo"
        os.mkfifo(fifo)
        # The shell waits at the fifo, becomes the program by a descriptor, and finds another under its name.
        child = subprocess.Popen(["sh", "-c", 'exec 3<"$1"; read -r _ <"$2"; exec /proc/self/fd/3 version --json', "sh",
                                  str(self.other), str(fifo)], stdout=subprocess.PIPE, text=True)
        replacement = self.bench.directory / "replacement"
        shutil.copy(self.bench.kith, replacement)
        with fifo.open("w") as end:
            replacement.replace(self.other)
            end.write("\n")
        out, _ = child.communicate(timeout=60)
        self.assertEqual(json.loads(out)["sha256"], mine)


if __name__ == "__main__":
    BUILD = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
