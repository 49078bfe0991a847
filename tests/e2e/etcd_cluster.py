"""A real etcd cluster of three servers on this machine, for tests: ports that the kernel chose, data
in a temporary folder, every process ended with the workbench.
"""

import base64
import json
import shutil
import signal
import socket
import ssl
import urllib.error
import urllib.request

from kith_process import wait_for

ETCD = shutil.which("etcd")
SERVERS = 3
# Milliseconds: on one machine, a leader that is gone is missed soon.
HEARTBEAT, ELECTION = 50, 500
ROOT_PASSWORD = "root's own"


def free_ports(count):
    """Held together until all are chosen, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def text64(text):
    return base64.b64encode(text.encode()).decode()


class EtcdCluster:
    """`certificates`: a folder of certificates.make_certificates; then clients speak TLS."""

    def __init__(self, bench, name="etcd", certificates=None):
        self.bench = bench
        self.name = name
        self.certificates = certificates
        self.folder = bench.directory / name
        self.folder.mkdir()
        ports = free_ports(2 * SERVERS)
        self.client_ports, self.peer_ports = ports[:SERVERS], ports[SERVERS:]
        self.processes = [None] * SERVERS
        self.token = None
        for server in range(SERVERS):
            self.start(server)
        self.wait_ready()

    def hosts(self, servers=range(SERVERS)):
        return ",".join(f"127.0.0.1:{self.client_ports[server]}" for server in servers)

    def url(self, prefix="kith", servers=range(SERVERS)):
        return f"etcd{'s' if self.certificates else ''}://{self.hosts(servers)}/{prefix}"

    # Processes

    def start(self, server):
        """A server with the data it had before, if it had any."""
        scheme = "https" if self.certificates else "http"
        client = f"{scheme}://127.0.0.1:{self.client_ports[server]}"
        peers = [f"http://127.0.0.1:{port}" for port in self.peer_ports]
        line = ["nice", "-n", "5", ETCD, "--name", f"n{server}",
                "--data-dir", str(self.folder / f"n{server}"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peers[server], "--initial-advertise-peer-urls", peers[server],
                "--initial-cluster", ",".join(f"n{i}={peer}" for i, peer in enumerate(peers)),
                "--initial-cluster-token", self.name, "--initial-cluster-state", "new",
                "--heartbeat-interval", str(HEARTBEAT), "--election-timeout", str(ELECTION)]
        if self.certificates:
            line += ["--cert-file", str(self.certificates / "server.pem"),
                     "--key-file", str(self.certificates / "server.key")]
        log = self.bench.directory / "logs" / f"{self.name}-{server}.log"
        log.parent.mkdir(exist_ok=True)
        with open(log, "ab") as out:
            self.processes[server] = self.bench.spawn(line, out, None)

    def kill(self, server):
        """As a power cut: and waits until it is gone, a zombie still has its number."""
        process = self.processes[server]
        self.processes[server] = None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        self.bench.processes.remove(process)

    def living(self):
        return [server for server in range(SERVERS) if self.processes[server]]

    # Questions

    def ask(self, path, body, server=None, timeout_s=10):
        server = self.living()[0] if server is None else server
        scheme = "https" if self.certificates else "http"
        request = urllib.request.Request(f"{scheme}://127.0.0.1:{self.client_ports[server]}{path}",
                                         data=json.dumps(body).encode())
        if self.token:
            request.add_header("Authorization", self.token)
        trust = None
        if self.certificates:
            trust = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        with urllib.request.urlopen(request, timeout=timeout_s, context=trust) as reply:
            return json.load(reply)

    def answers(self, path, body, server=None):
        try:
            return self.ask(path, body, server, timeout_s=2)
        except (OSError, urllib.error.HTTPError):
            return None

    def wait_ready(self):
        """Every living server answers questions that take a majority."""
        for server in self.living():
            wait_for(f"etcd server {server} answers",
                     lambda: self.answers("/v3/kv/range", {"key": text64("ready")}, server), 60)

    def leader(self):
        def find():
            for server in self.living():
                status = self.answers("/v3/maintenance/status", {}, server)
                if status and status.get("leader") == status["header"]["member_id"]:
                    return (server,)
            return None
        return wait_for("the cluster has a leader", find)[0]

    def keys(self, prefix):
        first, end = f"{prefix}/", f"{prefix}0"
        reply = self.ask("/v3/kv/range", {"key": text64(first), "range_end": text64(end)})
        return {base64.b64decode(pair["key"]).decode(): base64.b64decode(pair["value"])
                for pair in reply.get("kvs", [])}

    def put(self, key, value):
        self.ask("/v3/kv/put", {"key": text64(key), "value": text64(value)})

    def require_login(self, name, password, prefix="kith"):
        """Authentication on: that name may use that prefix, and nobody else anything."""
        self.ask("/v3/auth/user/add", {"name": "root", "password": ROOT_PASSWORD})
        self.ask("/v3/auth/role/add", {"name": "root"})
        self.ask("/v3/auth/user/grant", {"user": "root", "role": "root"})
        self.ask("/v3/auth/user/add", {"name": name, "password": password})
        self.ask("/v3/auth/role/add", {"name": "kith"})
        self.ask("/v3/auth/role/grant",
                 {"name": "kith", "perm": {"permType": "READWRITE", "key": text64(f"{prefix}/"),
                                           "range_end": text64(f"{prefix}0")}})
        self.ask("/v3/auth/user/grant", {"user": name, "role": "kith"})
        self.ask("/v3/auth/enable", {})
        reply = self.ask("/v3/auth/authenticate", {"name": "root", "password": ROOT_PASSWORD})
        self.token = reply["token"]
