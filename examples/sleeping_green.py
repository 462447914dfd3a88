"""Sleeping that holds up nobody: each request naps several times, and all the others run meanwhile.

uwsgi's functions for it run under uWSGI, too, where time.sleep() would stop the whole worker; here time.sleep() would do as well. A hundred requests of three seconds take three seconds.

Run:  ./ugreen-py -w examples.sleeping_green --async 100 --ugreen
Try:  curl -N http://127.0.0.1:8000/        (-N shows every line as it comes)
      time (for i in $(seq 100); do curl -sN http://127.0.0.1:8000/ >/dev/null & done; wait)
      curl -N "http://127.0.0.1:8000/?seconds=0.25"
"""

from urllib.parse import parse_qs

import uwsgi

NAPS = 3


def application(environ, start_response):
    try:
        seconds = float(parse_qs(environ["QUERY_STRING"]).get("seconds", [1])[0])
        if not 0 <= seconds <= 60:
            raise ValueError
    except ValueError:
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"seconds must be a number from 0 to 60\n"]

    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return naps(seconds)


def naps(seconds):
    core = uwsgi.async_id()                 # the slot that runs this request, from 0
    for nap in range(1, NAPS + 1):
        uwsgi.async_sleep(seconds)          # only registers: this request shall go on after so many seconds
        uwsgi.suspend()                     # waits for what was registered; all other requests run
        if not uwsgi.is_connected():        # the wait ends early when the client leaves: nobody is there to nap for
            return
        yield f"core {core}: nap {nap} is over\n".encode()
