"""Requests that start processes, in every way that Python has, and requests that hang. ``?pages=`` and the like are not needed: each path does one thing and answers with JSON."""

import concurrent.futures
import ctypes
import faulthandler
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time

#: Set by handlers of signals.
heard = []
signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(f"usr1 {threading.get_native_id() == MAIN}"))
if "TAKES_TERM" in os.environ:
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append("term"))
MAIN = threading.get_native_id()


class Alarm(Exception):
    pass


def ring(number, frame):
    raise Alarm


def square(number):
    return number * number


def child_says(function):
    """What a forked child answers."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = function()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        answer = json.loads(file.read())
    assert os.waitpid(pid, 0)[1] == 0
    return answer


def status():
    with open("/proc/self/status") as file:
        return {name: int(value, 16) for name, value in (line.split(":\t") for line in file) if name in ("SigBlk", "SigCgt", "SigIgn")}


def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return found


def forked_code():
    """The exit code of a forked child that goes on in the caller; None in the child."""
    pid = os.fork()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid else None


def mapped(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(square, range(4))


def executor():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return list(pool.map(square, range(4)))


def terminated():
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode


def preexec():
    return subprocess.run(["sh", "-c", "echo out; exit 3"], preexec_fn=os.setsid, capture_output=True, text=True, check=False).stdout


def in_a_thread(function):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    thread.join()
    return answers[0]


def limited(seconds, function):
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        function()
        return "not ended"
    except Alarm:
        return "ended"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def compute():
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass


def receive():
    one, other = socket.socketpair()
    with one, other:
        one.recv(1)


def left_behind():
    """Children that nobody ends; the pids."""
    global _executor
    _executor = concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
    pids = [_executor.submit(os.getpid).result()]
    for daemon in (True, False):
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,), daemon=daemon)
        process.start()
        pids.append(process.pid)
    return pids


def hold_up(library, seconds):
    """A wait that holds up the worker: the system call itself, past the C library's functions that wait green."""
    clock_nanosleep, monotonic = 230, 1
    library.syscall(clock_nanosleep, monotonic, 0, (ctypes.c_long * 2)(seconds, 0), None)


def hub_calls():
    import _ugreen

    answers = {}
    for name, call in vars(_ugreen).items():
        if type(call).__name__ == "builtin_function_or_method" and name != "os_ident":
            try:
                answers[name] = repr(call())
            except BaseException as error:
                answers[name] = f"{type(error).__name__}: {error}"
    return answers


def exit_with(code):
    if (answer := forked_code()) is None:
        sys.exit(code)
    return answer


def grandchild():
    """A child forks, and sets a handler that its own child keeps."""
    def fork_again():
        signal.signal(signal.SIGTERM, ring)
        return child_says(lambda: signal.getsignal(signal.SIGTERM) is ring)

    return child_says(fork_again)


def default_timeout():
    """Whether a blocking socket of this process still blocks after a fork while new ones would not."""
    before = socket.getdefaulttimeout()
    one, other = socket.socketpair()
    try:
        socket.setdefaulttimeout(0.1)
        assert child_says(socket.getdefaulttimeout) == 0.1
        return os.get_blocking(one.fileno())
    finally:
        socket.setdefaulttimeout(before)
        one.close()
        other.close()


def put_back():
    """What was found is put back, also where it is none of Python's; and Python's own check of the main thread holds."""
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        before = signal.signal(number, ring)
        assert signal.getsignal(number) is ring, number
        signal.signal(number, before)
        assert signal.getsignal(number) is not ring, number
    for number in (signal.SIGIO, signal.SIGINT):
        try:
            signal.signal(number, "nothing")
            return f"took {number}"
        except TypeError:
            pass
    try:
        in_a_thread(lambda: signal.signal(signal.SIGINT, ring))
    except IndexError:
        return "put back"


def dump_at(path):
    with open(path, "w") as file:
        faulthandler.register(signal.SIGUSR2, file)
        signal.raise_signal(signal.SIGUSR2)
        faulthandler.unregister(signal.SIGUSR2)
    with open(path) as file:
        return file.read()


PAGES = {
    "ping": lambda: "pong",
    "status": lambda: child_says(status),
    "own_descriptors": descriptors,
    "descriptors": lambda: child_says(descriptors),
    "calls": lambda: child_says(hub_calls),
    "thread": lambda: child_says(lambda: [threading.current_thread().name, threading.current_thread() is threading.main_thread(), threading.active_count()]),
    "handlers": lambda: child_says(lambda: [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)]),
    "return": lambda: forked_code(),
    "exit": lambda: exit_with(5),
    "exit_text": lambda: exit_with("bye"),
    "raise": lambda: 1 // 0 if (answer := forked_code()) is None else answer,
    "thread_fork": lambda: in_a_thread(lambda: child_says(hub_calls)),
    "fork": lambda: child_says(lambda: "child"),
    "grandchild": grandchild,
    "default_timeout": default_timeout,
    "put_back": put_back,
    "terminated": terminated,
    "pool_fork": lambda: mapped("fork"),
    "pool_spawn": lambda: mapped("spawn"),
    "pool_forkserver": lambda: mapped("forkserver"),
    "executor": executor,
    "preexec": preexec,
    "left": left_behind,
    "alarm_loop": lambda: limited(0.2, compute),
    "alarm_sleep": lambda: limited(0.2, lambda: time.sleep(20)),
    "alarm_read": lambda: limited(0.2, receive),
    "heard": lambda: heard,
    "ring_later": lambda: [signal.signal(signal.SIGALRM, ring), signal.setitimer(signal.ITIMER_REAL, 0.2)] and "set",
    "mark_later": lambda: [signal.signal(signal.SIGALRM, lambda n, f: heard.append("alarm")), signal.setitimer(signal.ITIMER_REAL, 0.2)] and "set",
    "block": lambda: hold_up(ctypes.CDLL(None), 6),
    "block_long": lambda: hold_up(ctypes.CDLL(None), 60),
    "block_gil": lambda: hold_up(ctypes.PyDLL(None), 6),
}


def application(environ, start_response):
    name = environ["PATH_INFO"][1:]
    answer = dump_at(environ["QUERY_STRING"]) if name == "dump" else PAGES[name]()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
