"""Many requests at the same time, once."""

import selectors
import socket
import time

from bench.common.processes import Trouble

TIMEOUT = 60


def burst(port, count, path, end):
    """The seconds from the first byte sent to the last response complete. The connections are open before. Every answer must be a 200 whose body is ``end``."""
    clients, done = [], 0
    with selectors.DefaultSelector() as selector:
        try:
            for _ in range(count):
                clients.append(socket.create_connection(("127.0.0.1", port), 10))
            start = time.perf_counter()
            for client in clients:
                client.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n" % path.encode())
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ, bytearray())
            while done < count:
                ready = selector.select(max(start + TIMEOUT - time.perf_counter(), 0))
                if not ready:
                    raise Trouble(f"{count - done} of {count} requests without an answer after {TIMEOUT} s")
                for key, _ in ready:
                    piece = key.fileobj.recv(65536)
                    key.data.extend(piece)
                    if not piece:
                        selector.unregister(key.fileobj)
                        _check(bytes(key.data), end)
                        done += 1
            return time.perf_counter() - start
        finally:
            for client in clients:
                client.close()


def _check(answer, end):
    if not answer.startswith(b"HTTP/1.") or b" 200 " not in answer.partition(b"\r\n")[0] or not answer.endswith(b"\r\n\r\n" + end):
        raise Trouble("wrong answer: " + (answer[:60].decode("latin-1").splitlines() or ["none"])[0])
