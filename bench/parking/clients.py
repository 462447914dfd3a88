"""The clients of ``bench/parked``: one process, one epoll, plain sockets, so that ten thousand of them cost little beside the server on the same machine."""

import select
import socket
import struct
import time

#: Connections that are being opened at the same time: fewer than the shortest backlog among the servers (uWSGI's is 100).
OPENING = 64

#: Seconds without any progress after which those that are missing count as refused.
PATIENCE = 20


class Listeners:
    """Clients that listen to a channel. ``count`` of them have got the first line and are parked in the server."""

    def __init__(self, port):
        self._address = ("127.0.0.1", port)
        self._epoll = select.epoll()
        self._sockets = {}
        self._opening = {}

    @property
    def count(self):
        return len(self._sockets)

    def open(self, total):
        """Open more until there are ``total``, or until no more are served; returns how many there are."""
        last = time.monotonic()
        while self.count < total:
            while len(self._opening) < min(OPENING, total - self.count):
                self._begin()
            events = self._epoll.poll(1)
            for fd, _ in events:
                self._go_on(fd)
            if events:
                last = time.monotonic()
            elif time.monotonic() - last > PATIENCE:
                break
        for s in list(self._opening.values()):
            self._forget(s)
        self._opening.clear()
        return self.count

    def publish(self, text):
        """Send one message; returns for each listener that got it the seconds from the start of the POST to its first byte, sorted."""
        with socket.create_connection(self._address, PATIENCE) as publisher:
            publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times = {}
            missing = len(self._sockets)
            start = time.perf_counter()
            publisher.sendall(b"POST / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            while missing:
                events = self._epoll.poll(PATIENCE, 512)
                if not events:
                    break
                for fd, _ in events:
                    now = time.perf_counter()
                    s = self._sockets[fd]
                    data = self._read(s)
                    if not data:
                        self._forget(s)
                        del self._sockets[fd]
                        missing -= 1
                        continue
                    times.setdefault(fd, now)
                    # The message is a few bytes: it is not cut, or the count below goes wrong and the run with it.
                    missing -= data.count(text)
            while publisher.recv(65536):
                pass
        return sorted(at - start for at in times.values())

    def close(self):
        """All go at once, by a reset: nothing of them stays in the kernel."""
        for s in list(self._sockets.values()):
            self._forget(s)
        self._sockets.clear()

    def _begin(self):
        s = socket.socket()
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.connect_ex(self._address)
        self._opening[s.fileno()] = s
        self._epoll.register(s.fileno(), select.EPOLLOUT)

    def _go_on(self, fd):
        s = self._opening.get(fd)
        if s is None:
            # One that was parked: the server has dropped it, for nothing was published.
            if not self._read(self._sockets[fd]):
                self._forget(self._sockets.pop(fd))
            return
        if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._forget(self._opening.pop(fd))
            return
        data = self._read(s)
        if data is None:
            # Connected, and now is the time to ask.
            s.send(b"GET /listen HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
            self._epoll.modify(fd, select.EPOLLIN)
        elif b"listening\n" in data:
            self._sockets[fd] = self._opening.pop(fd)
        elif not data or b" 200 " not in data.split(b"\r\n", 1)[0]:
            self._forget(self._opening.pop(fd))

    @staticmethod
    def _read(s):
        """What is there; None: nothing yet; empty: the end."""
        try:
            return s.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _forget(self, s):
        self._epoll.unregister(s.fileno())
        s.close()


def hello(port, count):
    """Seconds that each of ``count`` requests for a small page takes, one after the other, each on a connection of its own (uWSGI's --http-socket has no others)."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
            s.settimeout(PATIENCE)
            s.sendall(b"GET /hello HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        times.append(time.perf_counter() - start)
        if b"hello\n" not in answer:
            raise SystemExit(f"the server answered {answer[:200]!r}")
    return times
