"""examples/sse.py with a short heartbeat and a page /publish?N, which publishes a value that no machine has."""

import os

from examples import sse

sse.HEARTBEAT = float(os.environ.get("UGREEN_TEST_HEARTBEAT", 0.1))


def application(environ, start_response):
    if environ["PATH_INFO"] == "/publish":
        sse.publish(int(environ["QUERY_STRING"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"published"]
    return sse.application(environ, start_response)
