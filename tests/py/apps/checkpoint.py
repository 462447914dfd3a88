"""The application's side of serving.Control: a named point at which a green thread tells the test that it is there, and parks until the test lets it go on.

With this a test fixes the order in which green threads park and resume; nothing depends on how long anything takes.
"""

import json
import os
import socket

import uwsgi


def reach(name, **data):
    """Tell the test that we are here and park until it answers; returns the test's text. Raises EOFError when the test has gone away instead."""
    with connect(name, **data) as s:
        return wait(s)


def connect(name, **data):
    """Announce the point without parking; ``wait`` then parks on the socket that this returns."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["UGREEN_TEST_CONTROL"])
    s.sendall(json.dumps({"name": name, "data": data}).encode() + b"\n")
    s.setblocking(False)
    return s


def wait(s):
    """Park until the test has sent a line on the socket; return it."""
    line = b""
    while not line.endswith(b"\n"):
        uwsgi.wait_fd_read(s.fileno())
        uwsgi.suspend()
        try:
            piece = s.recv(4096)
        except BlockingIOError:
            continue
        if not piece:
            raise EOFError("the test has closed this checkpoint")
        line += piece
    return line.decode().rstrip("\n")
