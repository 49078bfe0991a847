"""A real chain of one process (anvil) on this machine, for tests: a port that the kernel chose, ended
with the workbench. Its program comes from the npm registry (scripts/install-deps.sh test).
"""

import json
import sys
import urllib.request
from pathlib import Path

from etcd_cluster import free_ports
from kith_process import wait_for

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))
from peers import needed  # noqa: E402

CHAIN = 31337


def anvil_program(test):
    """Skips the test, by name, without it."""
    _, packages = needed(test, "evm")
    return packages / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"


class Chain:
    """`block_s`: makes a block each so many seconds; otherwise one for each transaction."""

    def __init__(self, bench, program, block_s=None):
        self.port = free_ports(1)[0]
        self.asked = 0
        line = ["nice", "-n", "5", str(program), "--host", "127.0.0.1", "--port", str(self.port),
                "--chain-id", str(CHAIN), "--silent"]
        if block_s:
            line += ["--block-time", str(block_s)]
        log = bench.directory / "logs" / f"anvil-{self.port}.log"
        log.parent.mkdir(exist_ok=True)
        with open(log, "ab") as out:
            self.process = bench.spawn(line, out, None)
        wait_for("the chain answers", self.answers, 60)

    def url(self, finality="?confirmations=2"):
        return f"evm://127.0.0.1:{self.port}/{CHAIN}{finality}"

    def ask(self, method, *parameters):
        self.asked += 1
        body = {"jsonrpc": "2.0", "id": self.asked, "method": method, "params": list(parameters)}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/",
                                         data=json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            answer = json.load(reply)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def answers(self):
        try:
            return int(self.ask("eth_chainId"), 16) == CHAIN
        except OSError:
            return False

    def fund(self, account, wei=10**21):
        self.ask("anvil_setBalance", account, hex(wei))
