"""Blocking TLS in requests: OpenSSL keeps its errors per OS thread, which all green threads share; what one has met must not be taken for another's, nor be lost."""

import concurrent.futures
import contextlib
import os
import runpy
import socket
import ssl
import threading

import pytest
from fronts import certificate
from serving import APPS, PATIENCE, Server, abort, background, many, until

AT_ONCE = 16
TURNS = 4


@pytest.fixture(scope="module")
def server():
    with Server("tls_app", cores=AT_ONCE) as s:
        yield s


class Peer:
    """A TLS server in this process, each of whose connections is played by a function; ``with`` gives it."""

    def __init__(self, play):
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._listener.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate())
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                raw.settimeout(PATIENCE)
                self._pool.submit(self._serve, raw)

    def _serve(self, raw):
        with contextlib.suppress(OSError), raw:
            self._play(raw, self._context)

    def ask(self, server, how, cafile=""):
        return server.get(f"/?port={self.port}&how={how}&cafile={cafile}").json


def hello(raw, context):
    """A TLS connection that has sent its line."""
    tls = context.wrap_socket(raw, server_side=True)
    assert tls.recv(100) == b"hello\n"
    return tls


def clean(raw, context, before_end=lambda: None):
    with hello(raw, context) as tls:
        tls.sendall(b"good")
        before_end()
        tls.sendall(b"bye")
        with contextlib.suppress(OSError):
            tls.unwrap()


def garbage(raw, context):
    tls = hello(raw, context)
    with socket.socket(fileno=tls.detach()) as plain:
        plain.settimeout(PATIENCE)
        plain.sendall(b"this is no record of TLS at all")
        plain.recv(100)


def broken_record(raw, context):
    tls = hello(raw, context)
    with socket.socket(fileno=tls.detach()) as plain:
        plain.settimeout(PATIENCE)
        plain.sendall(b"\x17\x03\x03\x00\x40" + bytes(64))
        plain.recv(100)


def reset(raw, context):
    tls = hello(raw, context)
    abort(socket.socket(fileno=tls.detach()))


def cut(raw, context):
    os.close(hello(raw, context).detach())


def no_handshake(raw, context):
    raw.sendall(b"220 mail.example ESMTP\r\n")
    raw.recv(100)


def shut_handshake(raw, context):
    raw.recv(100)


HOSTILE = [garbage, broken_record, reset, cut, no_handshake, shut_handshake]
TOLD = runpy.run_path(str(APPS / "tls_app.py"))["told"]
UNTRUSTED = "/etc/ssl/certs/ca-certificates.crt"


def test_failures_stay_with_those_that_met_them(server):
    """Clean clients and those of hostile peers, all at once and again and again, in one worker: each is told what this plain Python is told, one after the other."""
    with contextlib.ExitStack() as stack:
        asked = [(stack.enter_context(Peer(play)), "") for play in [*HOSTILE, clean]]
        good = asked[-1]
        asked.append((good[0], UNTRUSTED))
        expected = {one: TOLD(one[0].port, "read", one[1]) for one in asked}
        assert expected[good] == "goodbye" and sum(told.startswith("SSL") for told in expected.values()) >= 4, expected

        def run(i):
            one = good if i % 2 else asked[i // 2 % len(asked)]
            for _ in range(TURNS):
                assert one[0].ask(server, "read", one[1]) == expected[one]

        many(AT_ONCE, run)


def test_an_error_that_waits_is_its_own(server):
    """One meets garbage and cannot send its alert, so it waits with OpenSSL's error pending; another's clean end comes meanwhile."""
    assert any(waits_with_an_error(server) for _ in range(20))


def waits_with_an_error(server):
    """False: the kernel found room for the alert after all, so nobody waited."""
    parked, other_is_done, shaken, read_on = (threading.Event() for _ in range(4))

    def hold():
        shaken.set()
        read_on.wait(PATIENCE)

    def full(raw, context):
        tls = context.wrap_socket(raw, server_side=True)
        # The client sends until nothing goes out any more, and then reads.
        with socket.socket(fileno=tls.detach()) as plain:
            plain.settimeout(PATIENCE)
            parked.wait(PATIENCE)
            plain.sendall(b"this is no record of TLS at all")
            other_is_done.wait(PATIENCE)
            with contextlib.suppress(OSError):
                while plain.recv(65536):
                    pass

    with Peer(full) as hostile, Peer(lambda raw, context: clean(raw, context, hold)) as good:
        with background(hostile.ask, server, "full") as failing, background(good.ask, server, "read") as reading:
            assert shaken.wait(PATIENCE)
            until(lambda: server.get("/dump").text.count("read on fd") == 2, "both that read")
            parked.set()
            waits = until(lambda: "write on fd" in (text := server.get("/dump").text) or ("read on fd" not in text.replace("read on fd", "", 1) and "none"), "the alert that does not go out")
            read_on.set()
            assert reading.result(PATIENCE) == "goodbye"
            other_is_done.set()
            assert failing.result(PATIENCE) == "SSLError: WRONG_VERSION_NUMBER"
            return waits is True
