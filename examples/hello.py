"""The smallest application: one line of text.

Run:  ./ugreen-py -w examples.hello
"""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"Hello from a green thread\n"]
