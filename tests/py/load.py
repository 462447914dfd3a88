"""Steady load from threads of the test, each a client of its own that counts what it sees.

A request that is not answered with a complete 200 is a Failure; nothing is tried again in silence. What a client of HTTP is told to do it does: after ``Connection: close``,
after a GOAWAY, and when the server has closed a connection on which no request was under way, it opens a new one.
"""

import collections
import random
import socket
import statistics
import struct
import threading
import time

import hpack

from serving import PATIENCE

#: ``worker``: the pid that answered on this connection before, None when none has yet; ``opened`` and ``at``: time.monotonic() of the connection's begin and of the failure;
#: ``stage``: "connect", "send", "head", "body" or "status".
Failure = collections.namedtuple("Failure", "client worker opened at stage error")


class Broken(Exception):
    def __init__(self, stage, error):
        super().__init__(f"{stage}: {error}")
        self.stage, self.error = stage, error


class Client:
    """One connection; ``worker`` is the pid that answers on it. ``get`` returns when the response is complete and raises Broken otherwise."""

    def __init__(self, address):
        self.opened, self.worker, self.closing = time.monotonic(), None, False
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(address)
        except OSError as error:
            self.socket.close()
            raise Broken("connect", repr(error)) from None

    def close(self):
        self.socket.close()

    def closed_by_server(self):
        """The server has ended this connection, as it may while no request is under way."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Broken("send", repr(error)) from None

    def receive(self, stage):
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Broken(stage, repr(error)) from None
        if not data:
            raise Broken(stage, "the server closed the connection")
        return data


class Http1(Client):
    """HTTP/1.1 on a raw socket. ``keep``: ask for more than one request on it."""

    def __init__(self, address, keep):
        self.keep = keep
        super().__init__(address)

    def get(self, path):
        self.send(f"GET {path} HTTP/1.1\r\nHost: t\r\n{'' if self.keep else 'Connection: close' + chr(13) + chr(10)}\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive("head")
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if "content-length" not in headers:
            raise Broken("status", f"{lines[0]}: a response without a length: {headers}")
        while len(body) < int(headers["content-length"]):
            body += self.receive("body")
        if lines[0].split(" ")[1] != "200":
            raise Broken("status", f"{lines[0]}: {body[:200]!r}")
        self.worker = int(headers["x-worker"])
        self.closing = not self.keep or headers.get("connection", "").lower() == "close"


class Http2(Client):
    """HTTP/2 with prior knowledge, one stream at a time. On bare frames: the library h2 takes no more of them after a GOAWAY, which is where it gets interesting."""

    DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
    END_STREAM, ACK, END_HEADERS = 1, 1, 4

    def __init__(self, address):
        super().__init__(address)
        self._encoder, self._decoder, self._input, self._stream = hpack.Encoder(), hpack.Decoder(), b"", -1
        #: The last stream that the server takes, once it has said so.
        self.last = None
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(self.SETTINGS) + self._frame(self.WINDOW_UPDATE, data=struct.pack(">I", 1 << 30)))

    @staticmethod
    def _frame(kind, flags=0, stream=0, data=b""):
        return struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream) + data

    def closed_by_server(self):
        """Takes in what came while nothing was asked for: a GOAWAY, or the end."""
        self.socket.setblocking(False)
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    return True
                self._take(data)
        except BlockingIOError:
            return self.last is not None
        except OSError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def _take(self, data):
        """The frames of streams that are complete now: (kind, flags, stream, data)."""
        self._input += data
        found = []
        while len(self._input) >= 9 and len(self._input) >= 9 + (size := int.from_bytes(self._input[:3], "big")):
            kind, flags, stream = struct.unpack(">BBI", self._input[3:9])
            frame, self._input = self._input[9:9 + size], self._input[9 + size:]
            if kind == self.GOAWAY:
                self.last = struct.unpack(">I", frame[:4])[0]
            elif kind in (self.SETTINGS, self.PING) and not flags & self.ACK:
                self.send(self._frame(kind, self.ACK, data=frame if kind == self.PING else b""))
            elif kind in (self.DATA, self.HEADERS, self.RST_STREAM):
                found.append((kind, flags, stream, frame))
        return found

    def get(self, path):
        self._stream += 2
        block = self._encoder.encode([(":method", "GET"), (":scheme", "http"), (":authority", "t"), (":path", path)])
        self.send(self._frame(self.HEADERS, self.END_STREAM | self.END_HEADERS, self._stream, block))
        headers, body, ended = {}, b"", False
        while not ended:
            stage = "body" if headers else "head"
            for kind, flags, stream, data in self._take(self.receive(stage)):
                if stream != self._stream:
                    raise Broken(stage, f"a frame of stream {stream} instead of {self._stream}")
                if kind == self.RST_STREAM:
                    raise Broken(stage, f"RST_STREAM {int.from_bytes(data, 'big')}")
                if kind == self.HEADERS:
                    headers = dict(self._decoder.decode(data))
                else:
                    body += data
                ended = bool(flags & self.END_STREAM)
            if not ended and self.last is not None and self.last < self._stream:
                raise NotProcessed
        if headers[":status"] != "200":
            raise Broken("status", headers[":status"])
        if len(body) != int(headers["content-length"]):
            raise Broken("body", f"{len(body)} bytes of {headers['content-length']}")
        self.worker = int(headers["x-worker"])
        self.closing = self.last is not None


class NotProcessed(Exception):
    """The server said with a GOAWAY that it has not begun this request: the protocol has it sent again on another connection."""


class Load:
    """Clients that ask until the end of the block. ``kinds``: for each client a function that opens its connection.

    Half of the clients ask without a pause, half of them pause a little: their connections are idle now and then.
    """

    PATHS = ("/", "/", "/park?5", "/park?30", "/burn?1")

    def __init__(self, kinds):
        self.failures, self.again, self.workers = [], 0, set()
        self.counts, self.times = [0] * len(kinds), []
        self.slowest = 0
        self._gate, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i, kind), name=f"client {i}", daemon=True) for i, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        end = time.monotonic() + PATIENCE + 5
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        stuck = [thread.name for thread in self._threads if thread.is_alive()]
        if exc[0] is None:
            assert not stuck, f"clients that do not come back: {stuck}"

    @property
    def done(self):
        """Requests that were answered."""
        return sum(self.counts)

    def summary(self):
        with self._gate:
            median = statistics.median(self.times) * 1000 if self.times else 0
            return f"{self.done} requests answered by {len(self.workers)} processes ({min(self.counts)}-{max(self.counts)} for each client), {len(self.failures)} failed, {self.again} sent again after GOAWAY; median {median:.1f} ms, slowest {self.slowest * 1000:.0f} ms"

    def _run(self, number, kind):
        client, chance = None, random.Random(number)
        try:
            while not self._stop.is_set():
                if client is None or client.closing or client.closed_by_server():
                    if client is not None:
                        client.close()
                    client = None
                begun = time.monotonic()
                try:
                    if client is None:
                        client = kind()
                    client.get(chance.choice(self.PATHS))
                    took = time.monotonic() - begun
                    with self._gate:
                        self.counts[number] += 1
                        self.times.append(took)
                        self.slowest = max(self.slowest, took)
                        self.workers.add(client.worker)
                except NotProcessed:
                    with self._gate:
                        self.again += 1
                    client.closing = True
                except Broken as error:
                    worker, opened = (client.worker, client.opened) if client else (None, begun)
                    with self._gate:
                        self.failures.append(Failure(number, worker, opened, time.monotonic(), error.stage, error.error))
                    if client is not None:
                        client.close()
                    client = None
                    # One that is refused must not fill the list.
                    self._stop.wait(0.05)
                if number % 2:
                    self._stop.wait(chance.uniform(0, 0.02))
        finally:
            if client is not None:
                client.close()
