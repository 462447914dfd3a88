"""The ``uwsgi`` module: what a server offers to the application that runs in it.

It has the names and meanings of uWSGI's module (documented in uWSGI's "The uwsgi Python module"), so applications
written for ``uwsgi --async N --ugreen`` run unchanged. Where the original loses requests or state, this one does not:

* ``suspend()`` with nothing registered lets the other green threads run and then returns, also in a plain view function;
* time-outs are seconds that may have fractions, and are kept to well under a millisecond;
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
import time as _time

from _ugreen import (
    async_id,
    async_sleep,
    cl,
    connection_fd,
    disconnect,
    get_logvar,
    green_schedule,
    is_connected,
    log,
    log_this_request,
    logsize,
    ready_fd,
    request_id,
    set_logvar,
    start_response,
    suspend,
    wait_fd_read,
    wait_fd_write,
)
from ugreen._files import sendfile
from ugreen._input import chunked_read, chunked_read_nb
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

#: What ``uwsgi.version`` is taken for by programs that compare it: the release whose API is followed.
version_info = (2, 0, 30, 0, b"ugreen.py")
version = b"2.0.30"
#: Version of this server, a str.
ugreen_version = _ugreen.server_version
hostname = _socket.gethostname().encode("utf-8", "surrogateescape")
#: Options that the server was started with: str to bytes, True (no value) or a list of bytes (given several times).
opt = _ugreen.opt
numproc = 1
cores = _ugreen.cores
has_threads = 1
loop = None
started_on = int(_time.time())
#: A module may set this to a dict of mountpoint (str or bytes) to callable: then these are served instead of its ``application``.
applications = None
#: A module may set this to a function without arguments: it is called when the application has been loaded, before the first request.
post_fork_hook = None
SPOOL_OK, SPOOL_RETRY, SPOOL_IGNORE = -2, -1, 0


def worker_id():
    """Number of this worker process, from 1."""
    return 1


def masterpid():
    """Process id of the master; 0, because this server runs without one."""
    return 0


def mule_id():
    """Always 0: there are no mules."""
    return 0


def micros():
    """Wall-clock time in microseconds since 1970, an int."""
    return _time.time_ns() // 1000


def mem():
    """Memory of this process in bytes: (resident, virtual)."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        size, resident = statm.read().split()[:2]
    page = _os.sysconf("SC_PAGE_SIZE")
    return int(resident) * page, int(size) * page
