"""Runs `kith` as people do: real processes, each with a home of its own, joined by sockets alone.

A Workbench owns one temporary directory, every process and every proxy that a test starts; leaving
its `with` block ends and removes them all, and the processes die with this one in any case. A Node
is one home and, while it runs, one process on it. Nothing here waits for a fixed time: `wait_for`
asks again until a condition holds or its deadline passes.

Standard library only.
"""

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PASSPHRASE = "correct horse battery staple"
POLL_S = 0.05
COMMAND_TIMEOUT_S = 60
DEADLINE_S = 30
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Refused(Exception):
    """A command that ended with an error, as programs see it."""

    def __init__(self, words, exit_code, report, raw):
        self.exit_code = exit_code
        self.code = report.get("code", "")
        self.message = report.get("message", "")
        self.hint = report.get("hint", "")
        super().__init__(f"kith {shortened(words)}: exit {exit_code}: {raw.strip()}")


def shortened(words):
    """A command line for people: invitations are long."""
    return " ".join(word if len(word) <= 80 else word[:77] + "..." for word in words)


class NotYet(Exception):
    """A condition did not come true before its deadline."""


def wait_for(what, condition, deadline_s=DEADLINE_S):
    """Calls `condition` until it returns something true, and returns that. `what` says in words what
    is waited for. Commands that are refused meanwhile count as "not yet"."""
    pause = threading.Event()
    end = time.monotonic() + deadline_s
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except Refused as refusal:
            last = refusal
        if time.monotonic() > end:
            raise NotYet(f"not within {deadline_s:g} s: {what}" + (f" ({last})" if last else ""))
        pause.wait(POLL_S)


def run_kith(program, words):
    """One command: (exit code, stdout, stderr)."""
    done = subprocess.run([str(program), *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=COMMAND_TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr


class Node:
    """One home. `start` runs the node on it; commands work with and without."""

    def __init__(self, bench, name, passphrase=PASSPHRASE, program=None, label=None,
                 environment=None):
        self.bench = bench
        self.name = name
        self.label = label or name  # What others are told.
        self.home = bench.directory / name.lower()
        self.log = bench.directory / "logs" / f"{name.lower()}.log"
        self.program = program or bench.kith
        self.environment = {**os.environ, **(environment or {})}  # Of the running node.
        self.process = None
        self._exit_code = None
        self.ready = {}
        self._run_words = []
        self.kind = ["--test", "--private-network"]  # Of home that `init` makes.
        self.passphrase_file = None
        if passphrase is not None:
            self.passphrase_file = bench.directory / f"{name.lower()}.passphrase"
            self.passphrase_file.write_text(passphrase + "\n")
            self.passphrase_file.chmod(0o600)

    # Commands

    def words(self, *words, passphrase=True):
        line = [str(word) for word in words] + ["--home", str(self.home), "--json"]
        if passphrase and self.passphrase_file is not None:
            line += ["--passphrase-file", str(self.passphrase_file)]
        return line

    def kith(self, *words, also=(), passphrase=True):
        """Runs a command and returns its reply. Raises Refused, but not for exit codes in `also`:
        some replies come with one."""
        line = self.words(*words, passphrase=passphrase)
        code, out, err = run_kith(self.bench.kith, line)
        self.bench.note(self.name, line, code, out, err)
        if code != 0 and code not in also:
            raise Refused(line, code, _error_of(err), err)
        return json.loads(out) if out.strip() else {}

    def refuses(self, *words, **options):
        """Runs a command that must fail, and returns the Refused."""
        try:
            reply = self.kith(*words, **options)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"{self.name}: kith {' '.join(map(str, words))} should have failed, "
                             f"but said {reply}")

    def init(self, *words):
        unlocked = ["--no-passphrase"] if self.passphrase_file is None else []
        return self.kith("init", "--name", self.label, *self.kind, *unlocked, *words)

    # The process

    def start(self, *words):
        """Runs `kith run`; the same words again if none are given."""
        assert self.process is None, f"{self.name} runs already"
        if words:
            self._run_words = [str(word) for word in words]
        line = [str(self.program), "run", *self._run_words, "--home", str(self.home), "--json"]
        if self.passphrase_file is not None:
            line += ["--passphrase-file", str(self.passphrase_file)]
        self.log.parent.mkdir(exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = self.bench.spawn(line, log, self.environment)
        self.ready = self._read_ready()
        return self

    def _read_ready(self):
        """The first line of a running node: {"port", "public_url", ...}."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            line = b""
            end = time.monotonic() + DEADLINE_S
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise NotYet(f"{self.name} did not come up:\n{self.log_text()}")
                part = os.read(self.process.stdout.fileno(), 4096)
                if not part:
                    self.process.wait()
                    code, self.process = self.process.returncode, None
                    text = self.log_text()
                    raise Refused(["run"], code, _error_of(text), text)
                line += part
        return json.loads(line)

    def stop(self):
        """As systemd stops it."""
        self._end(signal.SIGTERM)

    def kill(self):
        """As a power cut stops it."""
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(number)
        process.wait(timeout=DEADLINE_S)
        process.stdout.close()
        self.bench.processes.remove(process)

    def ended(self, deadline_s=DEADLINE_S):
        """The exit code of a node that ends by itself."""
        if self.process is not None:
            self._exit_code = self.process.wait(timeout=deadline_s)
            self.process.stdout.close()
            self.bench.processes.remove(self.process)
            self.process = None
        return self._exit_code

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # What people do, in several commands

    def connect(self, other, deadline_s=DEADLINE_S):
        """`self` invites `other`; returns when both sides say that they are connected."""
        url = self.kith("invite", "--name", other.name)["url"]
        other.kith("accept", url, "--name", self.name, "--wait", "0")
        self.wait_connected(other.name, deadline_s)
        other.wait_connected(self.name, deadline_s)

    def contacts(self):
        return {contact["name"]: contact for contact in self.kith("contacts")["contacts"]}

    def wait_connected(self, name, deadline_s=DEADLINE_S):
        return wait_for(f"{self.name} is connected to {name}",
                        lambda: self.contacts().get(name, {}).get("state") == "connected",
                        deadline_s)

    def texts(self, contact=None):
        words = ["messages"] + ([contact] if contact else [])
        return [message["text"] for message in self.kith(*words)["messages"]]

    def events(self, event):
        """Audit entries of one kind."""
        entries = self.kith("audit", "show", "--last", "1000")["entries"]
        return [entry for entry in entries if entry["event"] == event]


def _error_of(text):
    """The error document among what a command wrote to stderr."""
    for line in reversed(text.splitlines()):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and "error" in document:
            return document["error"]
    return {}


class RecordingProxy:
    """Hands TCP connections on to `target` and keeps every byte, for the search through the wire."""

    def __init__(self, target=None):
        self.target = target
        self.captured = bytearray()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self._listener.getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=DEADLINE_S)
                server.settimeout(None)
            except (OSError, TypeError):
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                with self._lock:
                    self.captured += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def bytes(self):
        with self._lock:
            return bytes(self.captured)

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._lock:
            for end in self._open:
                end.close()


class Workbench:
    """Everything one test uses. `build` is the directory that holds the programs."""

    def __init__(self, build, keep=False):
        self.build = Path(build).resolve()
        self.kith = self.build / "kith"
        self.faulty = self.build / "tests" / "e2e" / "kith-faulty"
        self.dump = self.build / "tests" / "e2e" / "kith-dump-home"
        self.keep = keep
        self.processes = []
        self.proxies = []
        self.transcript = []
        self.directory = None
        # A child dies with the thread that made it, so one thread makes all and stays to the end.
        self._spawner = ThreadPoolExecutor(max_workers=1)

    def spawn(self, line, log, environment):
        """A process that ends with this one at the latest."""
        process = self._spawner.submit(
            subprocess.Popen, line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=environment, preexec_fn=_die_with_parent).result()
        self.processes.append(process)
        return process

    def __enter__(self):
        # Short, so that control sockets fit beside the homes.
        self.directory = Path(tempfile.mkdtemp(prefix="kith-"))
        self.directory.chmod(0o700)
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        return self

    def __exit__(self, kind, error, trace):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            process.stdout.close()
        self._spawner.shutdown()
        for proxy in self.proxies:
            proxy.close()
        if kind is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            self.show_logs()
        if self.keep:
            print(f"kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def node(self, name, **options):
        return Node(self, name, **options)

    def proxy(self, target=None):
        proxy = RecordingProxy(target)
        self.proxies.append(proxy)
        return proxy

    def note(self, name, words, code, out, err):
        self.transcript.append((name, words, code, out, err))

    def show_logs(self):
        """The end of every log, after a failure."""
        for log in sorted((self.directory / "logs").glob("*.log")):
            text = log.read_text(errors="replace")
            if text:
                print(f"--- {log.name}\n{text[-2000:]}")
        for name, words, code, out, err in self.transcript[-8:]:
            print(f"--- {name}: kith {shortened(words)} -> {code}\n{(out + err)[:1200]}")

    # The usual cast

    def mediator(self, name="Mediator", proxied=False, furnish=None):
        """Relays mail, keeps backups, hosts the ledger; waits until it answers. Its `url` is what
        others are told: its own address, or that of a recording proxy before it. `furnish(node)` is
        called before its home is made."""
        node = self.node(name, passphrase=None)
        if furnish:
            furnish(node)
        node.init("--no-identity")
        words = ["--listen", "127.0.0.1:0", "--mediate", "--ledger-serve"]
        proxy = None
        if proxied:
            proxy = self.proxy()
            words += ["--public-url", proxy.url]
        node.start(*words)
        node.url = proxy.url if proxy else node.ready["public_url"]
        node.proxy = proxy
        if proxy:
            proxy.target = node.ready["port"]
        # The same port after a restart: others know this address.
        node._run_words[1] = f"127.0.0.1:{node.ready['port']}"
        return node

    def person(self, name, mediator, *words, furnish=None, **options):
        """A new agent, initialised and running. `options`: those of Node."""
        node = self.node(name, **options)
        if furnish:
            furnish(node)
        node.init("--mediator", mediator.url, "--ledger", mediator.url, "--wait", "0", *words)
        node.start()
        return node


def child_processes():
    """Process ids of our children, to show that a test leaves none behind."""
    me = str(os.getpid())
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if text.rpartition(")")[2].split()[1] == me:
            found.append(int(stat.parent.name))
    return found
