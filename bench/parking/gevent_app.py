"""The application of ``ugreen_app.py`` for gevent: the same chain of messages with gevent's own Event. Served by gunicorn, or by gevent's own server: ``gevent_app.py PORT``."""

import sys

from gevent.event import Event


class Message:
    def __init__(self):
        self.published = Event()
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


if __name__ == "__main__":
    from gevent.pywsgi import WSGIServer

    WSGIServer(("127.0.0.1", int(sys.argv[1])), application, backlog=2048, log=None).serve_forever()
