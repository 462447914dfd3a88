"""Says which worker answers, and does to it what the path asks for."""

import os
import sys
import time

import ugreen
import uwsgi

import checkpoint

held = []


def deep(n):
    """Through a function of C, so that the stack is used up."""
    return list(map(deep, [n + 1]))


def burn(milliseconds):
    end = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end:
        pass


def application(environ, start_response):
    path, text = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    if path == "/park":
        ugreen.sleep(int(text) / 1000)
    elif path == "/burn":
        burn(int(text))
    elif path == "/reach":
        checkpoint.reach(text or "here")
    elif path == "/exit":
        os._exit(int(text))
    elif path == "/deep":
        sys.setrecursionlimit(10**6)
        deep(0)
    elif path == "/grow":
        held.append(bytearray(os.urandom(1)) * (int(text) << 20))
    elif path == "/reload":
        uwsgi.reload()
    body = b"%s of %d\n" % (path.encode("latin-1"), os.getpid())
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("X-Worker", str(os.getpid()))])
    return [body]
