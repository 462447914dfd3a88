"""The load: wrk for the peak, ``steady`` (steady.c) for latencies at a fixed rate, and one request of our own that looks at what a server answers."""

import dataclasses
import http.client
import json
import math
import os
import pathlib
import re
import resource
import socket
import subprocess
import tempfile
import time

from bench.common.processes import Trouble

PATIENCE = 20

#: Seconds that the load programs may take beyond their time.
OVERTIME = 30

#: CPU seconds that a hypervisor may give to others while latencies are measured; the kernel counts in hundredths. More is a stop of the machine, whoever serves.
STOLEN = 0.01

#: How many such samples of a whole run are taken a second time.
REPEATS = 40


class TooSlow(Trouble):
    """A server works, but does not keep up with a rate."""


@dataclasses.dataclass
class Request:
    """What a workload asks for, and what each answer must be. ``check`` gets the body."""

    path: str
    length: int = None
    body: bytes = b""
    check: object = None

    def bytes(self, keep_alive):
        """The request as it is sent; by HTTP/1.1 a connection is kept unless somebody says otherwise."""
        lines = [f"{'POST' if self.body else 'GET'} {self.path} HTTP/1.1", "Host: bench"]
        if not keep_alive:
            lines.append("Connection: close")
        if self.body:
            lines += ["Content-Type: application/octet-stream", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclasses.dataclass
class Peak:
    """What a server can do at most, or a time in which it did."""

    rate: float
    requests: int
    seconds: float
    load_cpus: float


@dataclasses.dataclass
class Latency:
    """At a fixed rate; milliseconds."""

    rate: float
    p50: float
    p99: float
    p999: float


def look(port, request, keep_alive=True):
    """One request by another client; a Trouble when the answer is not what it should be. Returns the length of the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {} if keep_alive else {"Connection": "close"}
        connection.request("POST" if request.body else "GET", request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Trouble(f"status {answer.status}: {body[:60]!r}")
        if request.length is not None and len(body) != request.length:
            raise Trouble(f"a body of {len(body)} bytes instead of {request.length}")
        if request.check and not request.check(body):
            raise Trouble(f"wrong body: {body[:60]!r}")
        return len(body)
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(f"no answer: {type(error).__name__}: {error}") from None
    finally:
        connection.close()


def hold(port, request, connections, seconds=5):
    """That many connections at the same time, each with one request; a Trouble when not all are answered while all are open. A server that serves its connections one after the other
    until they close looks fast, and leaves all others without an answer."""
    clients, number = [], 0
    try:
        for number in range(connections):
            clients.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
            clients[-1].sendall(request.bytes(keep_alive=True))
        end = time.monotonic() + seconds
        for number, client in enumerate(clients):
            client.settimeout(max(end - time.monotonic(), 0.01))
            if not client.recv(65536):
                raise Trouble(f"connection {number + 1} of {connections} was closed without an answer")
    except TimeoutError:
        raise Trouble(f"connection {number + 1} of {connections} has no answer after {seconds} s, while the others are kept open") from None
    except OSError as error:
        raise Trouble(f"{connections} connections: {error.strerror or error}") from None
    finally:
        for client in clients:
            client.close()


SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
local file = io.open(%s, "rb")
wrk.body = file:read("*a")
file:close()
"""


def read_wrk(text, closes):
    """(requests, seconds, requests per second) of wrk's output; a Trouble when something went wrong. ``closes``: the server ends its connections without a word about it, as uWSGI's
    --http-socket does. wrk then counts a complete answer, and a read error for the close after it: as many of those as of requests are none."""
    total = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if not total or not rate:
        raise Trouble(f"wrk: {(text.strip().splitlines() or ['no output'])[-1][:120]}")
    requests = int(total[1])
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", text):
        raise Trouble(f"{bad[1]} of {requests} answers were not 2xx")
    if errors := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
        counts = dict(zip(("connect", "read", "write", "timeout"), map(int, errors.groups())))
        if closes:
            counts["read"] = max(0, counts["read"] - requests)
        if any(counts.values()):
            raise Trouble("socket errors: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    if not requests:
        raise Trouble("no request was answered")
    return requests, float(total[2]) * {"ms": 0.001, "s": 1, "m": 60}[total[3]], float(rate[1])


def peak(port, request, seconds, connections, keep_alive=True, closes=False):
    """As much as one thread of wrk gets out of a server. wrk knows whole seconds only."""
    seconds = max(1, math.ceil(seconds))
    with tempfile.TemporaryDirectory(prefix="bench-run-") as folder:
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "5s"]
        if not keep_alive:
            command += ["-H", "Connection: close"]
        if request.body:
            folder = pathlib.Path(folder)
            (folder / "body").write_bytes(request.body)
            (folder / "post.lua").write_text(SCRIPT % json.dumps(str(folder / "body")))
            command += ["-s", str(folder / "post.lua")]
        text, used, took = _run([*command, f"http://127.0.0.1:{port}{request.path}"], b"", seconds)
    requests, length, rate = read_wrk(text, closes)
    return Peak(rate, requests, length, used / took)


def read_steady(text, wanted, seconds):
    """The Latency of steady's output; a Trouble when requests failed, TooSlow when the server did not keep up with the rate: then latencies only say how long the run was."""
    got = json.loads(text)
    if got["wrong"] or got["failed"]:
        raise Trouble(f"of {got['planned']} requests {got['failed']} failed and {got['wrong']} had a wrong answer")
    if got["done"] < got["planned"] or got["seconds"] > seconds * 1.1 + 0.1:
        raise TooSlow(f"cannot keep up with {wanted:,.0f} requests per second: {got['done']} of {got['planned']} answered {got['seconds']:.1f} s after the start of {seconds:g} s")
    return Latency(wanted, got["p50"] / 1000, got["p99"] / 1000, got["p999"] / 1000)


def stolen():
    """CPU seconds since the start of the machine that its hypervisor gave to others while something wanted to run here (proc(5), "steal")."""
    return int(pathlib.Path("/proc/stat").read_text().split(None, 9)[8]) / os.sysconf("SC_CLK_TCK")


class Steady:
    """The program that keeps a rate, compiled once for a run."""

    def __init__(self):
        self.repeated = 0
        self._folder = tempfile.TemporaryDirectory(prefix="bench-run-")
        self._program = os.path.join(self._folder.name, "steady")
        source = pathlib.Path(__file__).with_name("steady.c")
        done = subprocess.run(["gcc", "-O2", "-o", self._program, source, "-lm"], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise SystemExit(f"steady.c does not compile:\n{done.stderr}")

    def run(self, port, request, rate, seconds, connections, keep_alive=True, closes=False):
        """Latencies at that rate. A server that closes its connections gets a new one for each request. Where the machine itself was stopped meanwhile, once more: then the sample
        with the shorter stops counts."""
        keep = keep_alive and not closes
        command = [str(word) for word in (self._program, port, rate, seconds, connections, int(keep), request.length)]
        text, lost = self._sample(command, request.bytes(keep_alive), seconds)
        if lost > STOLEN and self.repeated < REPEATS:
            self.repeated += 1
            again, less = self._sample(command, request.bytes(keep_alive), seconds)
            text = again if less < lost else text
        return read_steady(text, rate, seconds)

    @staticmethod
    def _sample(command, sent, seconds):
        before = stolen()
        text, _, _ = _run(command, sent, seconds)
        return text, stolen() - before

    def close(self):
        self._folder.cleanup()


def _run(command, sent, seconds):
    """(output, CPU seconds used, seconds taken) of a load program."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        done = subprocess.run(command, input=sent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + OVERTIME)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{os.path.basename(command[0])} did not end") from None
    after, text = resource.getrusage(resource.RUSAGE_CHILDREN), done.stdout.decode(errors="replace")
    if done.returncode:
        raise Trouble(f"{os.path.basename(command[0])} ended with {done.returncode}: {(text.strip().splitlines() or ['no output'])[-1][:120]}")
    return text, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - begun
