"""Asking another server without holding up anybody: the page of another HTTP server, through a non-blocking socket.

While this request waits for the connection and for the answer, the worker's other requests run.

Start the other server, here one with the files of a folder, and name it: as an argument, or in the environment variable OTHER_SERVER. It is fixed at the start: a server that asks
whatever address its clients give lets them reach what only the server can.

Run:  python3 -m http.server 8001 &
      ./ugreen-py -w examples.iobound_green --async 100 --ugreen --pyargv 127.0.0.1:8001
Try:  curl http://127.0.0.1:8000/
"""

import os
import sys

import uwsgi

OTHER_SERVER = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OTHER_SERVER", "127.0.0.1:8001")
SECONDS = 5


def application(environ, start_response):
    try:
        head, _, body = fetch("/").partition(b"\r\n\r\n")
        status = head.split(b"\r\n")[0].decode("latin-1").split(" ", 1)[1]
    except (OSError, IndexError) as error:
        start_response("502 Bad Gateway", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"the other server does not answer: {error}\n".encode()]

    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"core {uwsgi.async_id()}: {OTHER_SERVER} says {status}, {len(body)} bytes\n".encode()]


def fetch(path):
    """All that the other server answers."""
    fd = uwsgi.async_connect(OTHER_SERVER)                      # begins to connect; a file descriptor, or -1
    if fd < 0:
        raise OSError("it cannot be reached")
    try:
        wait(uwsgi.wait_fd_write, fd)                           # a connection that is through can be written
        if not uwsgi.is_connected(fd):                          # it can be written, too, when it was refused
            raise OSError("it refuses the connection")
        uwsgi.send(fd, f"GET {path} HTTP/1.0\r\nHost: {OTHER_SERVER}\r\n\r\n".encode())
        answer = b""
        while True:
            wait(uwsgi.wait_fd_read, fd)
            piece = uwsgi.recv(fd)                              # what has come; None: that was all
            if piece is None:
                return answer
            answer += piece
    finally:
        uwsgi.close(fd)


def wait(register, fd):
    register(fd, SECONDS)                                       # only registers: wake me when fd is ready, or after so many seconds
    uwsgi.suspend()                                             # this request waits, all others run
    if uwsgi.ready_fd() != fd:                                  # -1: the time was up, or the client of this request has left
        raise OSError(f"nothing came for {SECONDS} seconds")
