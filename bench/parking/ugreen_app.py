"""Served by ``bench/parked`` on UGreen.Py: a channel whose listeners are parked in ``ugreen.Event.wait()``.

GET /listen    a line at once, then each message as it is published, without an end
POST /         publishes the request body as one message
GET /hello     a small page
"""

import ugreen


class Message:
    """One link of the chain of messages. Whoever listens waits for the last one, which is not published yet; so nobody misses one, and nobody keeps a queue."""

    def __init__(self):
        self.published = ugreen.Event()
        self.text = None
        self.next = None


latest = Message()


def publish(text):
    global latest
    message, latest = latest, Message()
    message.text, message.next = text, latest
    message.published.set()


def listen():
    message = latest
    yield b"listening\n"
    while True:
        message.published.wait()
        yield message.text
        message = message.next


def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        publish(environ["wsgi.input"].read())
    if environ["PATH_INFO"] == "/listen":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return listen()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
