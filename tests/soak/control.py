"""Commands for running nodes over their control sockets (node/control/frame.hpp), without a program
between: a reply that was read here had been given."""

import json
import os
import socket
import struct

TIMEOUT_S = 60


class Down(Exception):
    """Nobody answers there, or no longer: whether the command was carried out is not known."""


class CommandRefused(Exception):
    """The node's own answer, an error."""


def command(home, name, /, **arguments):
    """The reply of the node that runs on `home`."""
    request = json.dumps({"id": "soak-" + os.urandom(12).hex(), "command": name, "args": arguments})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(TIMEOUT_S)
        try:
            wire.connect(str(home / "control.sock"))
            data = request.encode()
            wire.sendall(struct.pack(">I", len(data)) + data)
            (size,) = struct.unpack(">I", _read(wire, 4))
            reply = json.loads(_read(wire, size))
        except OSError as error:
            raise Down(f"{home.name}: {error}") from error
    if "error" in reply:
        raise CommandRefused(f"{home.name}: {name}: {reply['error']}")
    return reply["reply"]


def _read(wire, size):
    data = b""
    while len(data) < size:
        part = wire.recv(size - len(data))
        if not part:
            raise ConnectionResetError("closed")
        data += part
    return data
