"""A service that others ask: it takes as long as ``?sleep=SECONDS`` says."""

import time
import urllib.parse


def application(environ, start_response):
    time.sleep(float(urllib.parse.parse_qs(environ["QUERY_STRING"])["sleep"][0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"3"]
