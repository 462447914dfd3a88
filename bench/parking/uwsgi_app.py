"""The application of ``ugreen_app.py`` for uWSGI's ugreen, which has nothing by which one core wakes another: each listener has an eventfd of its own.

One for all would be simpler, but uWSGI has one waiter per file descriptor. The waits are yielded, as uWSGI's documentation does it; ``uwsgi.suspend()`` in the middle
of a Python frame is what CPython 3.11 does not survive there.
"""

import collections
import os

import uwsgi

listeners = {}


def publish(text):
    for event, messages in listeners.items():
        messages.append(text)
        os.eventfd_write(event, 1)


def listen():
    event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    messages = listeners[event] = collections.deque()
    try:
        yield b"listening\n"
        while True:
            yield uwsgi.wait_fd_read(event)
            os.eventfd_read(event)
            while messages:
                yield messages.popleft()
    finally:
        del listeners[event]
        os.close(event)


def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        publish(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    if environ["PATH_INFO"] == "/listen":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return listen()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
