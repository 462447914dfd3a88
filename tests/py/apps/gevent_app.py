"""Requests that use gevent's own calls; nothing is monkey patched. Each core has a hub of gevent's, as a thread has."""

import time

import gevent
from gevent import socket
from gevent.pool import Pool


def sleep(environ):
    gevent.sleep(0.3)
    return "slept"


def spawn(environ):
    jobs = [gevent.spawn(lambda number=number: (gevent.sleep(0.3), number)[1]) for number in range(5)]
    gevent.joinall(jobs, timeout=20)
    return str([job.value for job in jobs])


def pool(environ):
    return str(Pool(3).map(lambda number: (gevent.sleep(0.1), number)[1], range(6)))


def ask(environ):
    """Another page of this server, by gevent's sockets."""
    with socket.create_connection((environ["SERVER_NAME"], int(environ["SERVER_PORT"]))) as s:
        s.sendall(b"GET /nap HTTP/1.0\r\nHost: test\r\n\r\n")
        return b"".join(iter(lambda: s.recv(4096), b"")).partition(b"\r\n\r\n")[2].decode()


def nap(environ):
    time.sleep(0.3)
    return "napped"


def threadpool(environ):
    return str(gevent.get_hub().threadpool.apply(lambda: (time.sleep(0.3), 7)[1]))


def quick(environ):
    return "quick"


def application(environ, start_response):
    text = globals()[environ["PATH_INFO"][1:]](environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
