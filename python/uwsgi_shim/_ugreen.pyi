"""Types of the built-in module ``_ugreen``: the hub calls and the settings that the server hands to its Python half.

A test compares this with the real module: every name, every parameter and, for what the module ``uwsgi`` offers to applications, every docstring (they are the reference page's).
"""

from types import FrameType, TracebackType
from typing import Any, Callable, Dict, List, Literal, Optional, Tuple, Type, Union

from _typeshed import WriteableBuffer

from ugreen._io import HasFileno

_Fd = Union[int, HasFileno]
_Text = Union[str, bytes, bytearray, memoryview]
_ExcInfo = Union[Tuple[Type[BaseException], BaseException, Optional[TracebackType]], Tuple[None, None, None]]

# Settings.

#: [mountpoint, module or None, file or None, callable] of each application.
applications: List[List[Any]]
imports: List[str]
arguments: List[str]
shim_path: str
cores: int
spawn_cores: int
#: Workers that the server has at most.
worker_count: int
#: Locks beside lock 0.
locks: int
#: A file that all workers have; None: there is only this process.
lock_file: Optional[str]
threads: int
psycopg2: bool
need_application: bool
gc_threshold: int
#: Seconds between two looks at the sources; 0: none.
autoreload: float
autoreload_ignore: List[str]
stack_bytes: int
engine: Literal["direct", "posix"]
server_version: str
python_paths: List[str]
opt: Dict[str, Union[bytes, Literal[True], List[bytes]]]
#: Letter of a placeholder to what it stands for.
magic: Dict[bytes, bytes]
#: Bytes.
buffer_size: int
is_a_reload: bool

def os_ident() -> int:
    """Number of the calling OS thread, which all green threads of a worker share; elsewhere the same as threading.get_ident()."""
    ...

# What applications see, by the module uwsgi.

def suspend() -> Literal[True]:
    """Wait until a registered file descriptor is ready or a registered time is over; with nothing registered, let the other green threads run once.

    Returns True. ready_fd() tells which fd it was, or -1. In another OS thread it blocks that thread; while the application is imported, the start.
    """
    ...

def green_schedule() -> Literal[True]:
    """Wait until a registered file descriptor is ready or a registered time is over; with nothing registered, let the other green threads run once.

    Returns True. ready_fd() tells which fd it was, or -1. In another OS thread it blocks that thread; while the application is imported, the start.
    """
    ...

def wait_fd_read(fd: _Fd, timeout: Optional[float] = 0, /) -> bytes:
    """Register interest in fd being readable for the next suspend() or yield; it does not wait by itself.

    fd is an int or an object with fileno(). timeout is in seconds (fractions count); 0 or less means none. Returns b''. Raises OSError when fd cannot be waited for.
    """
    ...

def wait_fd_write(fd: _Fd, timeout: Optional[float] = 0, /) -> bytes:
    """Register interest in fd being writable for the next suspend() or yield; it does not wait by itself.

    fd is an int or an object with fileno(). timeout is in seconds (fractions count); 0 or less means none. Returns b''. Raises OSError when fd cannot be waited for.
    """
    ...

def async_sleep(seconds: float, /) -> bytes:
    """Register a deadline for the next suspend() or yield; it does not wait by itself.

    seconds may be a float; 0 or less registers nothing. Returns b''.
    """
    ...

def ready_fd() -> int:
    """The fd that ended the last suspend(), or -1."""
    ...

def async_id() -> int:
    """Number of the core that this code runs on, from 0; -1 outside a green thread."""
    ...

def request_id() -> int:
    """How many requests this core has finished before this one. Raises SystemError where there is no request."""
    ...

def connection_fd() -> int:
    """File descriptor of the client's connection; -1 where it has none of its own (HTTP/2). Raises SystemError where there is no request."""
    ...

def cl() -> int:
    """Length of the request body in bytes, as the client declared it; 0 without a declared length. Raises SystemError where there is no request."""
    ...

def is_connected(fd: Optional[_Fd] = None, /) -> bool:
    """True when the socket fd is connected and has no pending error; without fd: whether this request's client is still there.

    fd is an int or an object with fileno(). Without a request it is False without fd; outside green threads fd must be given (TypeError).
    """
    ...

def disconnect() -> None:
    """End the response and the client's connection; this code goes on. Sending more raises OSError afterwards. Returns None.

    Raises SystemError where there is no request.
    """
    ...

def worker_id() -> int:
    """Number of this worker process, from 1. A worker that replaces another has its number."""
    ...

def masterpid() -> int:
    """Process id of the master; 0 without one (option --master)."""
    ...

def total_requests() -> int:
    """Requests that all workers together have finished since the server was started."""
    ...

def workers() -> Tuple[Dict[str, Any], ...]:
    """A tuple with a dict of figures for each worker: id, pid, requests, delta_requests (of the present process), exceptions, harakiri_count, busy_cores,
    status (bytes: b'idle', b'busy', b'cheap', b'starting', b'draining'), rss, vsz, running_time and avg_rt (microseconds), last_spawn, respawn_count, tx.

    apps is a tuple with a dict for each application: id, modifier1 (0), mountpoint (bytes), startup_time (seconds), interpreter (0), callable (address in the worker that
    asks), requests and exceptions (of the present process; None in another worker that has several applications), chdir (bytes). signals (0) is there for programs that look for it.
    """
    ...

def sockets() -> List[int]:
    """Descriptors of the server's listening sockets, a list of int. Any thread may call."""
    ...

def setprocname(name: str, /) -> None:
    """Set what ps shows of this process. What is longer than its command line is cut. Returns None.

    Raises TypeError for what is no str, ValueError for one with a NUL.
    """
    ...

def ready() -> Optional[Literal[True]]:
    """True when the application is loaded and requests are served, else None."""
    ...

def stop() -> Literal[True]:
    """Ask for a graceful stop of the whole server: running requests are finished, also this one. Returns True."""
    ...

def reload(reason: Optional[str] = None, /) -> Optional[Literal[True]]:
    """Ask the master to replace all workers, one after the other; no request is lost, also not this one. reason, a str, is for the log.

    Returns True; None without a master (option --master), and then the log says so.
    """
    ...

def log(line: str, /) -> Literal[True]:
    """Write a line to the server's log. Returns True. Raises TypeError when line is no str."""
    ...

def set_logvar(name: _Text, value: _Text, /) -> None:
    """Set a variable of this request's line in the log: %(name) in --log-format. Both are str or bytes-like.

    Raises ValueError for an empty name and for more than 64 variables, RuntimeError once the response is complete, SystemError where there is no request.
    """
    ...

def get_logvar(name: _Text, /) -> Optional[bytes]:
    """The value of a log variable of this request as bytes, or None when it was not set. name is str or bytes-like.

    Raises RuntimeError once the response is complete, SystemError where there is no request.
    """
    ...

def log_this_request() -> None:
    """Write this request's line in the log, also with --disable-logging.

    Raises RuntimeError once the response is complete, SystemError where there is no request.
    """
    ...

def logsize() -> int:
    """Size of the log file in bytes; 0 when the log goes to no file."""
    ...

def start_response(status: str, headers: List[Tuple[str, str]], exc_info: Optional[_ExcInfo] = None) -> Callable[[bytes], object]:
    """Set the response's status and headers; see PEP 3333. Returns write(bytes).

    Raises TypeError or ValueError for what is no status or no header, AssertionError for a second call without exc_info or after the headers were sent, SystemError where there is no request.
    """
    ...

def set_user_harakiri(seconds: float, /) -> None:
    """Limit how long this request may go on from now, beside --harakiri; 0 takes the limit back. Over it, Harakiri is raised in it.

    seconds may have fractions. The limit ends with the request. Returns None. Raises SystemError where there is no request.
    """
    ...

# For the driver and the bodies.

def begin() -> Dict[str, Any]:
    """The environ of this green thread's request. For the driver only."""
    ...

def send(data: bytes, /) -> Optional[int]:
    """Send bytes of the response body. Raises OSError when the client is gone."""
    ...

def write(data: bytes, /) -> None:
    """Send bytes of the response body. Raises OSError when the client is gone."""
    ...

def respond(body: bytes, /) -> bool:
    """Send the whole response at once if that is possible. For the driver only."""
    ...

def tolerates_bytes() -> bool:
    """Whether a bytes object that the application returned is sent as one piece; the log is told once. For the driver only."""
    ...

def length_left() -> int:
    """How many bytes the application's Content-Length leaves for the body; -1 without one. For the driver only."""
    ...

def serves(number: int, /) -> None:
    """The number of the application that serves this request. For the dispatcher only."""
    ...

def respond_file(fd: int, offset: int, length: int, /) -> bool:
    """Let the front send a part of a regular file as the whole body. For the driver only."""
    ...

def send_file(fd: int, offset: int, length: int, /) -> None:
    """Send a part of a regular file. Raises OSError when the client is gone or the file ends too early. For the driver only."""
    ...

def end() -> None:
    """The body is complete. For the driver only."""
    ...

def fail(traceback: str, harakiri: bool = False, /) -> None:
    """The application raised; traceback is its text, harakiri says whether it was ended by us. For the driver only."""
    ...

def read_into(buffer: WriteableBuffer, timeout: Optional[float] = None, /) -> Optional[int]:
    """Read request body bytes into buffer; returns how many, 0 at the end. Raises OSError when the client is gone. For the driver only."""
    ...

def green_pause(timeout: Optional[float], /) -> Optional[Literal[True]]:
    """Wait until green_unpause_all() is called or the time is over; meanwhile the client gets what green_write_all() writes.

    timeout is in seconds (fractions count); 0 or less means none. Returns True; None when the client is gone, or was not sent something that was written to it.
    Afterwards all that was written to the client has been taken by it.
    """
    ...

def green_write_all(data: Union[str, bytes], /) -> None:
    """Write data (str, sent as UTF-8, or bytes) into the response of every request of this worker that is in green_pause().

    It does not wait: what a client does not take at once is sent later, and a client that is more than 64 KiB behind is given up. Returns None. Any thread may call.
    """
    ...

def green_unpause_all() -> None:
    """End the green_pause() of every request of this worker. Returns None. Any thread may call."""
    ...

# For the package ugreen.

def spawn(callable: Callable[[], object], daemon: bool = False, /) -> bool:
    """Run callable() on a free spawn core, without a request. Returns False when none is free.

    A graceful stop of the server waits for it unless it is a daemon. Any thread may call. Raises RuntimeError once the server ends.
    """
    ...

def set_daemon(green_id: int, daemon: bool, /) -> None:
    """Say whether a graceful stop of the server does without waiting for a spawned green thread. Any thread may call."""
    ...

def greens(green_id: Optional[int] = None, /) -> List[Tuple[int, int, str, Optional[str], Optional[FrameType]]]:
    """All green threads, or only the one with that number: a list of (id, core, state, request, frame). state says what it does or waits for.

    request is method and target of the request that it runs, None for a spawned function. frame is where its Python code is, None before it begins. Any thread may call.
    """
    ...

def lock_waits() -> List[Tuple[int, int, int, object, int, int, bool]]:
    """The green threads that wait for locks in calls of the C library: a list of (id, number, address, lock, owner, held_before, ends).

    number tells waits apart. lock is the Lock or RLock, None where it is not known or none of Python's. owner is that of an RLock or a recursive mutex: a core's number, or -2 and less for a thread (-2 - its identity), -1 for nobody. held_before is not 0 for a mutex, which a green thread with a lower id holds. ends: by a time or by another process. Any thread may call.
    """
    ...

def with_item(frame: FrameType, place: int, /) -> object:
    """The object whose __exit__ a with statement has put at that place of a frame's stack, counted from its first variable; None: it is not that. Objects whose __exit__ is C are only found when they are locks.

    Only for frames of green threads that wait, or of the caller. Any thread may call.
    """
    ...

def is_alone() -> bool:
    """Whether only green threads that run already could do anything: no timer is set, no request could begin, and no other thread runs Python code. Any thread may call."""
    ...

def alive(green_id: int, /) -> bool:
    """Whether that green thread has not finished. Any thread may call."""
    ...

def watch_client(exception: BaseException, /) -> bool:
    """Raise an exception object in this green thread, where it waits, when the client of its request goes away: at once when it has gone already.

    Returns False, and changes nothing, when another one is set.
    """
    ...

def unwatch_client() -> bool:
    """Take back watch_client(). Returns True when its exception was not raised and will not be.

    Raises what a wait within C was ended for in this green thread, if that has not been raised yet."""
    ...

def green_id() -> int:
    """Number that tells this green thread from all others that ever ran; -1 outside a green thread."""
    ...

def park(timeout: Optional[float] = None, /) -> bool:
    """Wait until unpark() is called for this green thread. timeout is in seconds, None: no limit. Returns False when the time was over."""
    ...

def unpark(green_id: int, /) -> None:
    """End the park() of a green thread, or its next one before it begins. Nothing happens when it has finished. Any thread may call."""
    ...

def wait_one(fd: _Fd, write: bool, timeout: Optional[float] = None, /) -> bool:
    """Wait until fd is readable (or writable, when write is true). timeout is in seconds, None: no limit.

    Returns False when the time was over. Raises OSError when fd cannot be waited for.
    """
    ...

def interrupt(green_id: int, exception: BaseException, replace: bool = False, /) -> bool:
    """Raise an exception object in a green thread: where it waits, or in its next wait.

    Returns False when it has finished or another exception is on its way, unless replace is true; from another thread always True. Any thread may call.
    """
    ...

def deadline(seconds: float, exception: BaseException, /) -> int:
    """Raise an exception object in this green thread when the time is over. Returns a number for cancel_deadline(), which must be called."""
    ...

def cancel_deadline(number: int, /) -> bool:
    """Take a deadline back. Returns True when its exception has not been raised; it will not be then.

    Raises what a wait within C was ended for in this green thread, if that has not been raised yet."""
    ...

def raise_told() -> None:
    """Raise the exception for which a wait of this green thread within C was ended, unless it was raised already. For this package only."""
    ...

def keep(object: object, /) -> None:
    """Keep a reference to an object until this green thread has ended. Raises RuntimeError outside a green thread."""
    ...

def share_out(address: int, fresh: int, /) -> bool:
    """Give each core its own value of the word of memory at this address, beginning with another one. Returns False on another OS thread than the hub's, and when there is a word already."""
    ...

def is_leader() -> bool:
    """Whether this worker runs what runs once per server. Any thread may call."""
    ...

def taken_signal() -> int:
    """Number of a signal that came from another worker, each once; -1: no more."""
    ...

def signal_workers(number: int, worker: int, /) -> bool:
    """Send a signal to another worker, by its number, or with 0 to all others. Returns False when there is no master. Any thread may call."""
    ...

def source_changed(path: str, /) -> bool:
    """Tell the master that a source file has changed, so that it replaces all workers. Returns False when there is no master. Any thread may call."""
    ...

def route_signal(signum: int, /) -> None:
    """Have the handler that Python has just installed run on the hub's OS thread, at once."""
    ...

def listening() -> List[int]:
    """File descriptors of the sockets on which this process listens."""
    ...
