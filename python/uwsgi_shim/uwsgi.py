"""The ``uwsgi`` module: what a server offers to the application that runs in it.

It has the names and meanings of uWSGI's module (documented in uWSGI's "The uwsgi Python module"), so applications
written for ``uwsgi --async N --ugreen`` run unchanged. Where the original loses requests or state, this one does not:

* ``suspend()`` with nothing registered lets the other green threads run and then returns, also in a plain view function;
* time-outs are seconds that may have fractions, and are kept to well under a millisecond;
* ``connect()``, ``send()`` and ``recv()`` hold up only the green thread that calls, also with descriptors in blocking mode;
* several green threads may wait for one file descriptor, and one for reading and writing of the same;
* functions about "this request" raise ``SystemError`` where there is none.

It can only be imported inside the server.
"""

try:
    import _ugreen
except ImportError:
    raise ImportError(
        "the uwsgi module exists only inside the server; run your application with: "
        "./ugreen-py -w your_module --async 100 --ugreen"
    ) from None

import os as _os
import socket as _socket
import sys as _sys
import time as _time
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any
from typing import Callable as _Callable
from typing import Dict as _Dict
from typing import List as _List
from typing import Optional as _Optional
from typing import Tuple as _Tuple
from typing import Union as _Union

from _ugreen import (
    async_id,
    async_sleep,
    cl,
    connection_fd,
    disconnect,
    get_logvar,
    green_pause,
    green_schedule,
    green_unpause_all,
    green_write_all,
    is_connected,
    log,
    log_this_request,
    logsize,
    masterpid,
    ready,
    ready_fd,
    reload,
    request_id,
    set_logvar,
    set_user_harakiri,
    setprocname,
    start_response,
    stop,
    suspend,
    total_requests,
    wait_fd_read,
    wait_fd_write,
    worker_id,
    workers,
)
from ugreen import _driver
from ugreen._files import sendfile
from ugreen._harakiri import Harakiri
from ugreen._input import chunked_read, chunked_read_nb
from ugreen._legacy import green_sleep, green_wait_fdread, green_wait_fdwrite
from ugreen._listening import listen_queue
from ugreen._locks import is_locked, lock, unlock
from ugreen._signals import (
    add_cron,
    add_file_monitor,
    add_ms_timer,
    add_rb_timer,
    add_timer,
    register_signal,
    signal,
    signal_received,
    signal_registered,
    signal_wait,
)
from ugreen._sockets import async_connect, close, connect, recv, send

if _TYPE_CHECKING:
    from wsgiref.types import WSGIApplication as _WSGIApplication

#: The release of uWSGI whose interface is followed, for programs that compare it.
version_info = (2, 0, 30, 0, b"ugreen.py")
#: The same release, bytes.
version = b"2.0.30"
#: Version of this server, a str.
ugreen_version = _ugreen.server_version
#: Name of this machine, bytes.
hostname = _socket.gethostname().encode("utf-8", "surrogateescape")
#: Options that the server was started with: str to bytes, True (no value) or a list of bytes (given several times). ``enable-threads`` and ``lazy-apps`` are always there, because both are always so.
opt = _ugreen.opt
#: What the letters behind a percent sign stand for in configuration files, bytes to bytes: ``magic_table[b"h"]`` is the name of this machine.
magic_table = _ugreen.magic
#: The word of the option ``--mode``, bytes; None without.
mode: _Optional[bytes] = _ugreen.opt.get("mode")  # type: ignore[assignment]  # it may be given once only
#: The file of the option ``--pidfile``, bytes; None without.
pidfile: _Optional[bytes] = _ugreen.opt.get("pidfile")  # type: ignore[assignment]
#: Longest request head that is taken, in bytes (``--buffer-size``).
buffer_size = _ugreen.buffer_size
#: Whether the master has replaced its workers before, and this one is of those (``uwsgi.reload()``, SIGHUP, ``--touch-reload``).
is_a_reload = _ugreen.is_a_reload
#: Number of worker processes that the server has at most.
numproc = _ugreen.worker_count
#: Number of cores: requests that can run at the same time.
cores = _ugreen.cores
#: 1: applications may use threads.
has_threads = 1
#: None; in uWSGI the name of a loop engine, which this server does not need.
loop: _Optional[bytes] = None
#: When the server was started, in seconds since 1970, an int.
started_on = int(_time.time())
#: A module may set this to a dict of mountpoint (str or bytes) to callable: then these are served instead of its ``application``.
applications: "_Optional[_Dict[_Union[str, bytes], _WSGIApplication]]" = None
#: What a spooler function returns in uWSGI when its job is done; there is no spooler here.
SPOOL_OK = -2
#: The same for a job that shall be tried again.
SPOOL_RETRY = -1
#: The same for a job that is another function's.
SPOOL_IGNORE = 0
#: A module may set this to a function without arguments: it is called when the application has been loaded, before the first request.
post_fork_hook: "_Optional[_Callable[[], object]]" = None
#: A module may set this to a function without arguments: it is called when this worker ends, after its last request and before Python's own atexit functions.
atexit: "_Optional[_Callable[[], object]]" = None


#: The environ of the request that asks. AttributeError where there is none.
env: _Dict[str, _Any]
#: Descriptors of the server's listening sockets, in the order of the addresses. While the application is imported they may not be open yet; then the list is empty.
sockets: _List[int]


class _Module(_ModuleType):
    """The module itself, for what is something else each time that somebody asks. (A ``__getattr__`` would let a type checker take any name.)"""

    @property
    def env(self) -> _Dict[str, _Any]:
        environ = _driver.environ_of(_sys._getframe(1))
        if environ is None:
            raise AttributeError("uwsgi.env: there is no request here")
        return environ

    @property
    def sockets(self) -> _List[int]:
        return _ugreen.sockets()


_sys.modules[__name__].__class__ = _Module


def accepting(flag: int = 1, /) -> None:
    """Nothing: a worker takes requests from when its application is loaded until it stops. It is there for programs that call it."""


def mule_id() -> int:
    """Always 0: there are no mules."""
    return 0


def i_am_the_spooler() -> None:
    """Always None: there is no spooler."""
    return None


def micros() -> int:
    """Wall-clock time in microseconds since 1970."""
    return _time.time_ns() // 1000


def mem() -> _Tuple[int, int]:
    """Memory of this process in bytes: (resident, virtual). Raises OSError when ``/proc`` is not there."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        size, resident = statm.read().split()[:2]
    page = _os.sysconf("SC_PAGE_SIZE")
    return int(resident) * page, int(size) * page


# Whoever checks types takes a name for public only when it is here.
__all__ = [
    "Harakiri", "SPOOL_IGNORE", "SPOOL_OK", "SPOOL_RETRY", "accepting", "add_cron", "add_file_monitor", "add_ms_timer", "add_rb_timer", "add_timer", "applications",
    "async_connect", "async_id", "async_sleep", "atexit", "buffer_size", "chunked_read", "chunked_read_nb", "cl", "close", "connect", "connection_fd", "cores", "disconnect",
    "get_logvar", "green_pause", "green_schedule", "green_sleep", "green_unpause_all", "green_wait_fdread", "green_wait_fdwrite", "green_write_all", "has_threads",
    "hostname", "i_am_the_spooler", "is_a_reload", "is_connected", "is_locked", "listen_queue", "lock", "log", "log_this_request", "logsize", "loop", "magic_table",
    "masterpid", "mem", "micros", "mode", "mule_id", "numproc", "opt", "pidfile", "post_fork_hook", "ready", "ready_fd", "recv", "register_signal", "reload", "request_id",
    "send", "sendfile", "set_logvar", "set_user_harakiri", "setprocname", "signal", "signal_received", "signal_registered", "signal_wait", "sockets", "start_response",
    "started_on", "stop", "suspend", "total_requests", "ugreen_version", "unlock", "version", "version_info", "wait_fd_read", "wait_fd_write", "worker_id", "workers",
]
