#!/usr/bin/env python3
"""The helpers of these tests do what the tests rely on: the search sees a planted leak in every form,
the proxy records what passes, waiting ends at its deadline."""

import base64
import socket
import sys
import tempfile
import unittest
from pathlib import Path

from kith_process import NotYet, RecordingProxy, wait_for
from secret_search import Search

SECRET = "violet anchor 7319 tulip"


class SearchTest(unittest.TestCase):
    def found(self, data):
        return bool(Search({"it": SECRET}).in_bytes("here", data))

    def test_finds_every_form_at_every_place(self):
        raw = SECRET.encode()
        for before in range(7):
            for after in range(4):
                data = bytes(before) + raw + bytes(after)
                self.assertTrue(self.found(data))
                self.assertTrue(self.found(base64.b64encode(data)), (before, after))
                self.assertTrue(self.found(base64.urlsafe_b64encode(data)), (before, after))
        self.assertTrue(self.found(raw.hex().encode()))
        self.assertTrue(self.found(raw.hex().upper().encode()))

    def test_finds_base64url_where_it_differs(self):
        secret = b"\xfb\xff\xfe>>>???" * 3
        data = base64.urlsafe_b64encode(b"x" + secret)
        self.assertNotIn(base64.b64encode(secret)[4:-4], data)
        self.assertTrue(Search({"it": secret}).in_bytes("here", data))

    def test_finds_nothing_where_nothing_is(self):
        self.assertFalse(self.found(b"violet anchor 7318 tulip" * 50))

    def test_reads_files_and_their_names(self):
        with tempfile.TemporaryDirectory() as directory:
            search = Search({"it": SECRET})
            (Path(directory) / "deep").mkdir()
            (Path(directory) / "deep" / "log").write_bytes(b"....")
            self.assertEqual(search.in_tree(directory), [])
            (Path(directory) / "deep" / "log").write_bytes(b".." + SECRET.encode() + b"..")
            self.assertEqual(len(search.in_tree(directory)), 1)
            (Path(directory) / SECRET).touch()
            self.assertEqual(len(search.in_tree(directory)), 2)


class ProxyTest(unittest.TestCase):
    def test_records_both_directions(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            proxy = RecordingProxy(server.getsockname()[1])
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
                client.sendall(b"question")
                peer, _ = server.accept()
                with peer:
                    self.assertEqual(peer.recv(100), b"question")
                    peer.sendall(b"answer")
                    self.assertEqual(client.recv(100), b"answer")
            proxy.close()
            self.assertIn(b"question", proxy.bytes())
            self.assertIn(b"answer", proxy.bytes())


class WaitTest(unittest.TestCase):
    def test_returns_the_value_and_ends_at_the_deadline(self):
        values = iter([None, 0, "there"])
        self.assertEqual(wait_for("it", lambda: next(values)), "there")
        with self.assertRaises(NotYet):
            wait_for("never", lambda: False, deadline_s=0.2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
