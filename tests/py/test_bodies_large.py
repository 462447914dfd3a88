"""A body of 1 GiB in either direction leaves the worker's memory where it was, and hundreds of clients that take a byte a second hold nobody up.

The clients are cheap on purpose (one thread, C loops): the machine's time belongs to the server.
"""

import contextlib
import os
import selectors
import time
import zlib

import pytest
from bodies_client import assert_closed, memory, reset_peak
from serving import PATIENCE, Server, read_all, until

GIGABYTE = 1 << 30

# What a body may leave behind or take meanwhile. Really it is some megabytes: the front's buffers, and what the runtime keeps for the next.
ROOM = 64 << 20

# A response that no buffer between server and client swallows.
ENDLESS = 1 << 28


@pytest.fixture(scope="module")
def server():
    with Server("bodies", cores=450, options=["-L"]) as s:
        yield s


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """1 GiB of zeros that take no disk."""
    path = tmp_path_factory.mktemp("large") / "sparse"
    with open(path, "wb") as file:
        file.truncate(GIGABYTE)
    return str(path)


@contextlib.contextmanager
def steady_memory(server):
    before = memory(server)
    reset_peak(server)
    yield
    after, peak = memory(server), memory(server, "VmHWM")
    assert after - before < ROOM and peak - before < ROOM, f"{before >> 20} MiB before, {after >> 20} after, {peak >> 20} at most"


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode()


def download(server, size, path):
    """Fetch it; true when a body of that many bytes has come."""
    buffer = bytearray(1 << 20)
    with server.connect() as s:
        s.sendall(get(path))
        count = s.recv_into(buffer)
        head, _, body = bytes(buffer[:count]).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        received = len(body)
        while count := s.recv_into(buffer):
            received += count
    if b"Transfer-Encoding: chunked" not in head:
        return received == size
    # Some thousandths are the frames of the chunks.
    return size < received < size * 1.01


@pytest.mark.parametrize("way", ["blocks?size={size}", "wrapper?path={path}", "sendfile?path={path}"])
def test_a_download_of_1_GiB(server, sparse, tmp_path, way):
    warm = tmp_path / "warm"
    with open(warm, "wb") as file:
        file.truncate(64 << 20)
    assert download(server, 64 << 20, "/" + way.format(size=64 << 20, path=warm))
    with steady_memory(server):
        assert download(server, GIGABYTE, "/" + way.format(size=GIGABYTE, path=sparse))
    assert_closed(server, sparse)


def upload(server, file, size, step):
    with open(file, "rb") as source, server.connect() as s:
        s.sendall(f"POST /upload?step={step} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode())
        assert s.sendfile(source, 0, size) == size
        return read_all(s).partition(b"\r\n\r\n")[2].split()


@pytest.mark.parametrize("step", [65536, 1 << 20])
def test_an_upload_of_1_GiB(server, sparse, step):
    check = 0
    for _ in range(GIGABYTE // step):
        check = zlib.adler32(bytes(64), check)
    assert upload(server, sparse, 64 << 20, step)[0] == b"%d" % (64 << 20)
    with steady_memory(server):
        assert upload(server, sparse, GIGABYTE, step) == [b"%d" % GIGABYTE, b"%d" % check]


# :: Many slow clients

CLIENTS = 200
SECONDS = 5


def drip(sockets, step, between):
    """Calls step(socket) for each socket once a second for SECONDS, and between() all the time; from this one thread."""
    begun = time.monotonic()
    for second in range(SECONDS):
        for s in sockets:
            step(s)
        while time.monotonic() < begun + second + 1:
            between()


def normal_client(server):
    """A function that makes one request on a keep-alive connection; and the list of what its requests took, in seconds."""
    s = server.connect()
    took = []

    def request():
        begun = time.monotonic()
        s.sendall(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n")
        data = b""
        while not data.endswith(b"\r\n\r\nsmall"):
            piece = s.recv(65536)
            assert piece, data
            data += piece
        took.append(time.monotonic() - begun)
        time.sleep(0.005)

    return s, request, took


def assert_bounded(request, took):
    """Others are served as if nothing were; the limit is that of a busy machine, a client that is held up by slow ones waits for seconds."""
    begun = time.monotonic()
    while len(took) < 200:
        request()
        assert time.monotonic() - begun < PATIENCE, f"only {len(took)} requests in {SECONDS + PATIENCE} s"
    took.sort()
    assert took[len(took) // 2] < 0.1 and took[-1] < 3, f"median {took[len(took) // 2]:.3f} s, longest {took[-1]:.3f} s"


@pytest.mark.parametrize("way", ["blocks?size={size}", "wrapper?path={path}", "sendfile?path={path}"])
def test_200_clients_that_take_a_byte_a_second(server, sparse, way):
    target = "/" + way.format(size=ENDLESS, path=sparse)
    slow = []
    client, request, took = normal_client(server)
    try:
        before = memory(server)
        for _ in range(CLIENTS):
            slow.append(server.connect(receive_buffer=4096))
            slow[-1].sendall(get(target))
        drip(slow, lambda s: wanted(s.recv(1)), request)
        assert_bounded(request, took)
        # Each holds a block or two in the front, and of a generator the part of a green stack that it touched; the rest is garbage within the collector's budget.
        assert memory(server) - before < ROOM + CLIENTS * (1 << 20)
        # Each still gets what comes next.
        for s in slow:
            wanted(s.recv(4096))
    finally:
        client.close()
        for s in slow:
            s.close()
    assert_closed(server, sparse)
    # All cores are free again, and the server does what it did.
    until(lambda: sockets_of(server) < 20, "the server's connections to be closed")
    assert download(server, 1 << 20, f"/blocks?size={1 << 20}")


def wanted(data):
    assert data, "the server closed a slow client's connection"


def sockets_of(server):
    count = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("socket:")
    return count


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_200_clients_that_send_a_byte_a_second(server, framing):
    page, header = ("upload?step=1", f"Content-Length: {SECONDS}") if framing == "length" else ("chunked", "Transfer-Encoding: chunked")
    slow = []
    client, request, took = normal_client(server)
    try:
        for _ in range(CLIENTS):
            slow.append(server.connect())
            slow[-1].sendall(f"POST /{page} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{header}\r\n\r\n".encode())
        drip(slow, lambda s: s.sendall(b"x" if framing == "length" else b"1\r\nx\r\n"), request)
        assert_bounded(request, took)
        if framing == "chunked":
            for s in slow:
                s.sendall(b"0\r\n\r\n")
        answers = answers_of(slow)
        check = zlib.crc32(b"x" * SECONDS)
        assert all(a.startswith(b"HTTP/1.1 200") and (a.endswith(b"\r\n\r\n%d %d" % (SECONDS, check)) or framing == "length" and b"\r\n\r\n%d " % SECONDS in a) for a in answers), answers[:3]
    finally:
        client.close()
        for s in slow:
            s.close()


def answers_of(sockets):
    """All that each still gets, from one thread."""
    data = {s: b"" for s in sockets}
    with selectors.DefaultSelector() as selector:
        for s in sockets:
            selector.register(s, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(PATIENCE)
            assert ready, f"{len(selector.get_map())} clients wait for their answer"
            for key, _ in ready:
                piece = key.fileobj.recv(65536)
                data[key.fileobj] += piece
                if not piece:
                    selector.unregister(key.fileobj)
    return list(data.values())
