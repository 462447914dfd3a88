"""Waits for a peer that says nothing, by a C function that fails when its wait is ended; no function of Python's comes between that and the server."""

import socket

left, right = socket.socketpair()
receive = left.recv


def application(environ, start_response):
    if environ["PATH_INFO"] != "/quick":
        return receive(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"quick"]
