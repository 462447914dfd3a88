"""The application of test_cli_*.py: tells about the interpreter it runs in; UGREEN_TEST_* variables let its import go wrong."""

import atexit
import json
import os
import sys
from urllib.parse import parse_qs

import checkpoint
import uwsgi

imported_on = uwsgi.async_id()


def application(environ, start_response):
    return PAGES[environ["PATH_INFO"].strip("/") or "hello"](environ, start_response)


def answer(start_response, data):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(data).encode()]


def hello(environ, start_response):
    return answer(start_response, "hello")


def other(environ, start_response):
    return answer(start_response, "other")


def make():
    return other


class Holder:
    app = staticmethod(other)


not_callable = 42


def interpreter(environ, start_response):
    return answer(start_response, {
        "prefix": sys.prefix, "base_prefix": sys.base_prefix, "executable": sys.executable, "path": sys.path, "cwd": os.getcwd(), "argv": sys.argv,
        "version": sys.version.split()[0], "utf8": sys.flags.utf8_mode, "encoding": sys.stdout.encoding, "filesystem": sys.getfilesystemencoding(),
        "main_thread": __import__("threading").main_thread() is __import__("threading").current_thread(),
    })


def imports(environ, start_response):
    """Import modules by name and say where they come from."""
    found = {}
    for name in parse_qs(environ["QUERY_STRING"])["name"]:
        try:
            module = __import__(name)
            found[name] = getattr(module, "VALUE", None) or getattr(module, "__file__", None) or "built-in"
        except ImportError as error:
            found[name] = f"ImportError: {error}"
    return answer(start_response, found)


def libraries(environ, start_response):
    """Use extension modules, not only import them: they must find libpython's symbols."""
    import bz2
    import ctypes
    import decimal
    import hashlib
    import lzma
    import sqlite3
    import ssl
    import threading
    import unicodedata
    import zlib

    database = sqlite3.connect(":memory:")
    results = []
    thread = threading.Thread(target=lambda: results.append(sum(range(1000))))
    thread.start()
    thread.join()
    return answer(start_response, {
        "ssl": bool(ssl.create_default_context().get_ca_certs() or ssl.OPENSSL_VERSION),
        "sqlite3": database.execute("select 6 * 7").fetchone()[0],
        "ctypes": ctypes.pythonapi.Py_IsInitialized(),
        "decimal": str(decimal.Decimal(1) / 7)[:8],
        "hashlib": hashlib.sha3_256(b"").hexdigest()[:4],
        "compression": [zlib.decompress(zlib.compress(b"z")).decode(), bz2.decompress(bz2.compress(b"b")).decode(), lzma.decompress(lzma.compress(b"l")).decode()],
        "unicodedata": unicodedata.name("ż"),
        "subprocess": __import__("subprocess").check_output(["/bin/echo", "out"], text=True),
        "thread": results[0],
    })


def park(environ, start_response):
    return answer(start_response, checkpoint.reach("parked"))


def stubborn(environ, start_response):
    """Never ends by itself, whatever wakes it."""
    checkpoint.connect("stubborn").close()
    while True:
        uwsgi.async_sleep(60)
        uwsgi.suspend()


def spin(environ, start_response):
    """Never even suspends."""
    checkpoint.connect("spin").close()
    while True:
        pass


def module(environ, start_response):
    """What the uwsgi module has."""
    foreign = []

    def call(function, *arguments):
        try:
            return repr(function(*arguments))
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def outside():
        foreign.extend(call(f) for f in (uwsgi.async_id, uwsgi.request_id, uwsgi.connection_fd, uwsgi.ready_fd, uwsgi.suspend))
        foreign.append(call(uwsgi.log, "a line from a thread"))

    import threading

    thread = threading.Thread(target=outside)
    thread.start()
    thread.join()
    uwsgi.log("a line from uwsgi.log żółw\nwith a second line \x1b[31m")
    resident, virtual = uwsgi.mem()
    return answer(start_response, {
        "version": repr(uwsgi.version), "version_info": repr(uwsgi.version_info), "hostname": repr(uwsgi.hostname), "numproc": uwsgi.numproc, "cores": uwsgi.cores,
        "worker_id": uwsgi.worker_id(), "masterpid": uwsgi.masterpid(), "mule_id": uwsgi.mule_id(), "micros": uwsgi.micros(), "started_on": uwsgi.started_on,
        "resident": resident, "virtual": virtual, "pid": os.getpid(),
        "opt": {key: repr(value) for key, value in uwsgi.opt.items()},
        "spool": [uwsgi.SPOOL_OK, uwsgi.SPOOL_RETRY, uwsgi.SPOOL_IGNORE],
        "async_id": uwsgi.async_id(), "core": environ["uwsgi.core"], "request_id": uwsgi.request_id(), "imported_on": imported_on,
        "suspend": uwsgi.suspend(), "green_schedule": uwsgi.green_schedule(), "async_sleep": repr(uwsgi.async_sleep(0)), "ready_fd": uwsgi.ready_fd(),
        "is_connected": uwsgi.is_connected(), "connection_fd": uwsgi.connection_fd(),
        "version_is_environs": environ["uwsgi.version"] == uwsgi.version,
        "ugreen": uwsgi.ugreen_version == __import__("ugreen").__version__,
        "log_not_str": call(uwsgi.log, b"bytes"), "log_no_argument": call(uwsgi.log), "sleep_text": call(uwsgi.async_sleep, "1"), "fd_text": call(uwsgi.wait_fd_read, "1"),
        "fd_closed": call(uwsgi.wait_fd_read, 987654), "fd_negative": call(uwsgi.wait_fd_read, -1),
        "foreign": foreign, "docs": [name for name in ("suspend", "wait_fd_read", "async_sleep", "async_id", "log") if not getattr(uwsgi, name).__doc__],
    })


def request_id(environ, start_response):
    return answer(start_response, [uwsgi.async_id(), uwsgi.request_id()])


if "UGREEN_TEST_ATEXIT" in os.environ:
    def at_exit():
        print("atexit ran on", uwsgi.async_id())
        with open(os.environ["UGREEN_TEST_ATEXIT"], "a") as file:
            file.write("atexit\n")

    atexit.register(at_exit)
    # In the reverse order of their registration; one that raises does not stop the others.
    atexit.register(lambda: 1 / 0)

PAGES = {
    "hello": hello, "interpreter": interpreter, "imports": imports, "libraries": libraries, "park": park, "stubborn": stubborn, "spin": spin, "module": module, "request-id": request_id,
}
