"""Requests that talk TLS on blocking sockets without a time-out, so that the waits are inside OpenSSL's functions. ``?port=&how=`` names the peer, which the test plays."""

import contextlib
import json
import os
import socket
import ssl
import time
import urllib.parse


def connect(port, cafile):
    context = ssl.create_default_context(cafile=cafile)
    context.check_hostname = False
    if not cafile:
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))


def read_all(tls):
    data = b""
    while piece := tls.recv(1000):
        data += piece
    return data.decode()


def fill(tls):
    """Send until the kernel takes no more, past OpenSSL, so that it waits with the next record that it sends."""
    with socket.socket(fileno=os.dup(tls.fileno())) as plain:
        full = 0
        # What is on its way makes room when it arrives.
        while full < 5:
            full += 1
            with contextlib.suppress(BlockingIOError):
                while plain.send(b"x" * (1 if full > 1 else 65536), socket.MSG_DONTWAIT):
                    full = min(full, 2)
            time.sleep(0.05)


def talk(port, how, cafile):
    with connect(port, cafile) as tls:
        if how == "full":
            fill(tls)
        else:
            tls.sendall(b"hello\n")
        return read_all(tls)


def told(port, how, cafile):
    """What the peer has sent, or how it failed."""
    try:
        return talk(port, how, cafile)
    except OSError as error:
        return f"{type(error).__name__}: {getattr(error, 'reason', None) or error.strerror}"


def application(environ, start_response):
    # Not above: the test runs what is there in its own Python, too.
    import ugreen

    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    answer = ugreen.dump() if environ["PATH_INFO"] == "/dump" else told(int(query["port"]), query["how"], query.get("cafile", ""))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
