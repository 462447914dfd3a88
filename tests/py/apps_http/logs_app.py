"""The application of test_cli_logs.py."""

import ctypes
import os
import threading

import uwsgi


def application(environ, start_response):
    status, body = PAGES[environ["PATH_INFO"].split("/")[1]](environ)
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [body.encode()]


def hello(environ):
    return "200 OK", "hello"


def empty(environ):
    return "200 OK", ""


def missing(environ):
    return "404 Not Found", "missing"


def broken(environ):
    return "503 Service Unavailable", "broken"


def big(environ):
    return "200 OK", "x" * 5000


def slow(environ):
    uwsgi.async_sleep(0.2)
    uwsgi.suspend()
    return "200 OK", "slow"


def wanted(environ):
    return "200 OK", repr(uwsgi.log_this_request())


def raises(environ):
    raise ValueError('a "quoted" message')


def set_variables(environ):
    """Sets one of each kind and reads them back."""
    results = [uwsgi.set_logvar("who", environ["QUERY_STRING"]), uwsgi.set_logvar(b"raw", bytearray(b"\xff\n\x1b[31m\"")), uwsgi.set_logvar("view", memoryview(b"v"))]
    return "200 OK", repr(results + [uwsgi.get_logvar(name) for name in ("who", b"raw", memoryview(b"view"), "unset")])


def get_variables(environ):
    return "200 OK", repr([uwsgi.get_logvar("who"), uwsgi.get_logvar("raw")])


def refuse(environ):
    """What is not taken, inside a request and outside."""
    def call(function, *arguments):
        try:
            return repr(function(*arguments))
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    for i in range(64):
        uwsgi.set_logvar(f"name {i}", "")
    answers = [
        call(uwsgi.set_logvar, "one more", ""), call(uwsgi.set_logvar, "", "v"), call(uwsgi.set_logvar, 1, "v"), call(uwsgi.set_logvar, "k", None), call(uwsgi.set_logvar, "k"),
        call(uwsgi.get_logvar, "\ud800"),
    ]
    outside = threading.Thread(target=lambda: answers.extend(call(*c) for c in (
        (uwsgi.set_logvar, "k", "v"), (uwsgi.get_logvar, "k"), (uwsgi.log_this_request,), (uwsgi.logsize,))))
    outside.start()
    outside.join()
    return "200 OK", "\n".join(answers)


def size(environ):
    return "200 OK", str(uwsgi.logsize())


def prints(environ):
    """Output of Python, of C and of another program."""
    print("printed by Python")
    os.system("echo said by a child; echo complained by a child >&2")
    ctypes.CDLL(None).dprintf(1, b"printed by C\n")
    uwsgi.log("said to the log")
    return "200 OK", ""


PAGES = {
    "": hello, "empty": empty, "missing": missing, "broken": broken, "big": big, "slow": slow, "wanted": wanted, "raises": raises, "set": set_variables, "get": get_variables,
    "refuse": refuse, "size": size, "prints": prints,
}
