"""An application that uses every public name of ``ugreen`` and ``uwsgi``, as its author would, for the type checker. It is checked, not run.

A line that ends in ``# -> TYPE`` holds a ``reveal_type``, and mypy must reveal that type.
"""

import socket
from typing import Iterable, List, Tuple, Type
from wsgiref.types import StartResponse, WSGIEnvironment

import ugreen
import uwsgi


def slow(number: int, text: str = "") -> Tuple[int, str]:
    return number, text


class PerRequest(ugreen.local):
    def __init__(self, start: int) -> None:
        self.count = start


here = PerRequest(5)
news = ugreen.Event()
numbers: "ugreen.Queue[int]" = ugreen.Queue(10)


def waits(sock: socket.socket) -> None:
    reveal_type(ugreen.sleep(0.5))  # -> None
    reveal_type(ugreen.wait_read(sock, 5))  # -> builtins.bool
    reveal_type(ugreen.wait_write(sock.fileno()))  # -> builtins.bool
    with ugreen.timeout(5, quiet=True) as limit:
        reveal_type(limit)  # -> ugreen._time.timeout
    reveal_type(limit.expired)  # -> builtins.bool
    reveal_type(limit.seconds)  # -> Union[builtins.float, None]
    try:
        with ugreen.timeout(None):
            pass
    except ugreen.Timeout as error:
        reveal_type(error.seconds)  # -> builtins.float
        reveal_type(error.timeout)  # -> ugreen._time.timeout


def events_locks_and_queues() -> None:
    reveal_type(news.wait(1))  # -> builtins.bool
    for kind in (ugreen.Lock(), ugreen.Semaphore(2), ugreen.BoundedSemaphore()):
        with kind as taken:
            reveal_type(taken)  # -> builtins.bool
    lock = ugreen.RLock()
    reveal_type(lock.acquire(timeout=1))  # -> builtins.bool
    items: List[str] = []
    condition = ugreen.Condition(lock)
    with condition:
        reveal_type(condition.wait_for(lambda: items and items[0], 5))  # -> Union[builtins.list[builtins.str], builtins.str]
        condition.notify_all()
    try:
        numbers.put(1, timeout=0.5)
        reveal_type(numbers.get())  # -> builtins.int
    except (ugreen.Full, ugreen.Empty):
        pass


def threads_and_locals() -> None:
    reveal_type(ugreen.run_in_thread(slow, 1, text="x"))  # -> Tuple[builtins.int, builtins.str]
    reveal_type(ugreen.run_in_thread(lambda: 2.5))  # -> builtins.float
    reveal_type(here.count)  # -> builtins.int
    plain = ugreen.local()
    plain.anything = 1
    reveal_type(plain.something)  # -> Any
    del plain.anything


def double(number: int) -> int:
    return 2 * number


def green_threads() -> None:
    thread: ugreen.GreenThread[int] = ugreen.spawn(double, 3)
    reveal_type(thread)  # -> ugreen._green.GreenThread[builtins.int]
    reveal_type(thread.result(5))  # -> builtins.int
    reveal_type((thread.join(1.5), thread.done(), thread.id, thread.name, thread.daemon, thread.is_request))  # -> Tuple[builtins.bool, builtins.bool, builtins.int, builtins.str, builtins.bool, builtins.bool]
    reveal_type(thread.exception())  # -> Union[builtins.BaseException, None]
    thread.daemon = True
    thread.kill()
    thread.kill(KeyError("no more"))
    reveal_type(ugreen.current())  # -> Union[ugreen._green.GreenThread[Any], None]
    reveal_type(ugreen.dump())  # -> builtins.str
    with ugreen.Pool(10) as pool:
        reveal_type(pool.spawn(double, 4))  # -> ugreen._green.GreenThread[builtins.int]
        reveal_type(pool.map(double, range(3)))  # -> builtins.list[builtins.int]
        reveal_type(pool.imap_unordered(double, [1, 2]))  # -> typing.Iterator[builtins.int]
        reveal_type((pool.join(1), len(pool), pool.size))  # -> Tuple[builtins.bool, builtins.int, builtins.int]
    errors: List[Type[BaseException]] = [ugreen.GreenExit, ugreen.Killed, ugreen.SpawnLimit, ugreen.ClientGone]
    reveal_type(errors)  # -> builtins.list[Type[builtins.BaseException]]
    with ugreen.while_connected():
        ugreen.sleep(1)


def databases() -> None:
    ugreen.patch_psycopg()
    ugreen.patch_sqlalchemy()


def background() -> None:
    @ugreen.every(60)
    def refresh() -> None: ...

    reveal_type(refresh)  # -> ugreen._timers.Timer[[], None]
    timer: ugreen.Timer[[int], int] = ugreen.after(0.5, double, 3)
    timer.cancel()


def uwsgi_sockets() -> None:
    reveal_type((uwsgi.connect("127.0.0.1:80", 0.5), uwsgi.async_connect("/run/x.sock")))  # -> Tuple[builtins.int, builtins.int]
    reveal_type((uwsgi.send(3, b"x"), uwsgi.send(b"x")))  # -> Tuple[Union[Literal[True], None], Union[Literal[True], None]]
    reveal_type(uwsgi.recv(3, 100))  # -> Union[builtins.bytes, None]
    uwsgi.close(3)
    reveal_type((uwsgi.green_sleep(1), uwsgi.green_wait_fdread(3, 1), uwsgi.green_wait_fdwrite(3)))  # -> Tuple[builtins.bool, builtins.bool, builtins.bool]
    reveal_type(uwsgi.green_pause(10))  # -> Union[Literal[True], None]
    uwsgi.green_write_all("to all")
    uwsgi.green_unpause_all()


def uwsgi_signals() -> None:
    uwsgi.register_signal(1, "worker", print)
    reveal_type(uwsgi.signal_registered(1))  # -> Union[builtins.bool, None]
    uwsgi.signal(1)
    reveal_type((uwsgi.signal_wait(1), uwsgi.signal_received()))  # -> Tuple[builtins.bytes, Union[builtins.int, None]]
    uwsgi.add_timer(1, 5)
    uwsgi.add_ms_timer(1, 5)
    uwsgi.add_rb_timer(1, 5, 3)
    uwsgi.add_cron(1, -1, -1, -1, -1, -1)
    uwsgi.add_file_monitor(1, "/etc/hosts")
    uwsgi.post_fork_hook = databases


def asks_the_server(sock: socket.socket) -> Iterable[bytes]:
    yield uwsgi.async_sleep(0.5)
    yield uwsgi.wait_fd_read(sock, 5)
    yield uwsgi.wait_fd_write(sock.fileno())
    reveal_type(uwsgi.suspend())  # -> Literal[True]
    reveal_type(uwsgi.green_schedule())  # -> Literal[True]
    reveal_type(uwsgi.ready_fd())  # -> builtins.int
    reveal_type((uwsgi.async_id(), uwsgi.request_id(), uwsgi.connection_fd(), uwsgi.cl(), uwsgi.logsize()))  # -> Tuple[builtins.int, builtins.int, builtins.int, builtins.int, builtins.int]
    reveal_type(uwsgi.is_connected())  # -> builtins.bool
    reveal_type(uwsgi.is_connected(sock))  # -> builtins.bool
    reveal_type(uwsgi.sendfile("/etc/hostname", 0, 0, 10))  # -> Union[Literal[True], None]
    reveal_type(uwsgi.chunked_read(5))  # -> builtins.bytes
    reveal_type(uwsgi.chunked_read_nb())  # -> Union[builtins.bytes, None]
    uwsgi.disconnect()
    reveal_type(uwsgi.log("a line"))  # -> Literal[True]
    uwsgi.set_logvar("name", b"value")
    reveal_type(uwsgi.get_logvar("name"))  # -> Union[builtins.bytes, None]
    uwsgi.log_this_request()
    try:
        uwsgi.set_user_harakiri(2.5)
    except uwsgi.Harakiri as error:
        reveal_type(error)  # -> ugreen._harakiri.Harakiri
    except ugreen.Harakiri:
        raise
    reveal_type((uwsgi.worker_id(), uwsgi.masterpid(), uwsgi.mule_id(), uwsgi.micros()))  # -> Tuple[builtins.int, builtins.int, builtins.int, builtins.int]
    reveal_type((uwsgi.total_requests(), uwsgi.ready(), uwsgi.reload(), uwsgi.reload("new version"), uwsgi.stop()))  # -> Tuple[builtins.int, Union[Literal[True], None], Union[Literal[True], None], Union[Literal[True], None], Literal[True]]
    reveal_type(uwsgi.workers())  # -> builtins.tuple[builtins.dict[builtins.str, Any], ...]
    uwsgi.accepting()
    uwsgi.lock()
    uwsgi.unlock(0)
    reveal_type(uwsgi.is_locked(1))  # -> builtins.bool
    reveal_type((uwsgi.listen_queue(), uwsgi.listen_queue(1), uwsgi.sockets))  # -> Tuple[builtins.int, builtins.int, builtins.list[builtins.int]]
    uwsgi.setprocname("name")
    uwsgi.i_am_the_spooler()
    reveal_type(uwsgi.mem())  # -> Tuple[builtins.int, builtins.int]


def values() -> None:
    reveal_type((ugreen.stopping.is_set(), ugreen.stopping.wait(0.5)))  # -> Tuple[builtins.bool, builtins.bool]
    uwsgi.atexit = lambda: None
    reveal_type((uwsgi.version, uwsgi.hostname))  # -> Tuple[builtins.bytes, builtins.bytes]
    reveal_type(uwsgi.version_info)  # -> Tuple[builtins.int, builtins.int, builtins.int, builtins.int, builtins.bytes]
    reveal_type((uwsgi.ugreen_version, ugreen.__version__))  # -> Tuple[builtins.str, builtins.str]
    reveal_type(uwsgi.opt)  # -> builtins.dict[builtins.str, Union[builtins.bytes, Literal[True], builtins.list[builtins.bytes]]]
    reveal_type((uwsgi.numproc, uwsgi.cores, uwsgi.has_threads, uwsgi.started_on))  # -> Tuple[builtins.int, builtins.int, builtins.int, builtins.int]
    reveal_type((uwsgi.mode, uwsgi.pidfile))  # -> Tuple[Union[builtins.bytes, None], Union[builtins.bytes, None]]
    reveal_type((uwsgi.magic_table, uwsgi.buffer_size, uwsgi.is_a_reload))  # -> Tuple[builtins.dict[builtins.bytes, builtins.bytes], builtins.int, builtins.bool]
    reveal_type(uwsgi.env["PATH_INFO"])  # -> Any
    reveal_type(uwsgi.loop)  # -> Union[builtins.bytes, None]
    reveal_type((uwsgi.SPOOL_OK, uwsgi.SPOOL_RETRY, uwsgi.SPOOL_IGNORE))  # -> Tuple[builtins.int, builtins.int, builtins.int]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = uwsgi.start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written")
    return [b"returned"]


uwsgi.applications = {"/": application, b"/bytes": application}
