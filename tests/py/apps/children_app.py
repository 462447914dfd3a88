"""Child processes of all kinds, started by requests while other requests wait: the path names the kind; "ok" when all came of it that should."""

import fcntl
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

PATIENCE = 30

held = threading.Lock()
held_again = threading.RLock()
waiting = threading.Semaphore(0)
items: "queue.Queue[int]" = queue.Queue()
fork = multiprocessing.get_context("fork")


def wait_lock():
    with held:
        time.sleep(0.005)


def wait_queue():
    threading.Timer(0.05, items.put, (1,)).start()
    items.get(timeout=PATIENCE)


def forked():
    """A child in the middle of everything: its own locks work, it waits, it leaves."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            time.sleep(0.01)
            own = threading.Lock()
            with own, threading.RLock(), threading.Condition():
                assert not own.acquire(timeout=0.01)
            thread = threading.Thread(target=os.write, args=(write_end, b"child"))
            thread.start()
            thread.join()
            assert threading.current_thread() is threading.main_thread()
            status = 7
        finally:
            os._exit(status)
    os.close(write_end)
    with open(read_end, "rb") as stream:
        assert stream.read() == b"child"
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def forked_holding():
    """What the thread that forks holds, its child holds, and can release; RLocks know it by its identity."""
    with held_again:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                with held_again:
                    pass
                held_again.release()
                status = 0 if not held_again._is_owned() else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert held_again._is_owned()


def vforked():
    """subprocess uses vfork(): its child runs on the parent's stack and memory until it executes the program."""
    done = subprocess.run([sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"], input="abc" * 30_000, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "abc" * 30_000
    try:
        subprocess.run(["/no/such/program"])
        raise AssertionError("it ran")
    except FileNotFoundError:
        pass
    try:
        subprocess.run(["/bin/sleep", "60"], timeout=0.05)
        raise AssertionError("it ended")
    except subprocess.TimeoutExpired:
        pass


def with_preexec():
    """A function before the program: CPython forks, and runs Python in the child."""
    assert subprocess.run(["/bin/sh", "-c", "echo $$"], preexec_fn=os.setsid, stdout=subprocess.PIPE, timeout=PATIENCE).stdout.strip().isdigit()


def spawned():
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ, setsigmask=[signal.SIGUSR2])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


class Counter:
    """A number that processes and green threads count, each under the same lock."""

    def __init__(self, make):
        self.lock, self.value = make(), fork.Value("i", 0, lock=False)

    def count(self, times):
        for _ in range(times):
            with self.lock:
                seen = self.value.value
                if seen % 16 == 0:
                    time.sleep(0.0005)
                self.value.value = seen + 1


def shared_lock(make=fork.Lock):
    counter = Counter(make)
    children = [fork.Process(target=counter.count, args=(100,)) for _ in range(3)]
    for child in children:
        child.start()
    threads = [threading.Thread(target=counter.count, args=(100,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    counter.count(100)
    for one in [*children, *threads]:
        one.join(PATIENCE)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert counter.value.value == 600, counter.value.value


def shared_rlock():
    shared_lock(fork.RLock)


def shared_semaphore():
    shared_lock(lambda: fork.Semaphore(1))


def shared_condition():
    shared_lock(fork.Condition)


def echo(asked, answers):
    for number in iter(asked.get, None):
        answers.put(number * 2)


def shared_queue():
    asked, answers = fork.Queue(3), fork.Queue()
    children = [fork.Process(target=echo, args=(asked, answers)) for _ in range(2)]
    for child in children:
        child.start()
    for number in range(60):
        asked.put(number)
    assert sorted(answers.get(timeout=PATIENCE) for _ in range(60)) == [number * 2 for number in range(60)]
    for _ in children:
        asked.put(None)
    for child in children:
        child.join(PATIENCE)
    assert [child.exitcode for child in children] == [0, 0]


def set_later(begun, done):
    begun.wait(PATIENCE)
    time.sleep(0.02)
    done.set()


def shared_event():
    begun, done = fork.Event(), fork.Event()
    child = fork.Process(target=set_later, args=(begun, done))
    child.start()
    assert not done.wait(0.01)
    begun.set()
    assert done.wait(PATIENCE)
    child.join(PATIENCE)


def meet(barrier, places):
    for _ in range(10):
        places.put(barrier.wait(PATIENCE))


def shared_barrier():
    barrier, places = fork.Barrier(3), fork.SimpleQueue()
    children = [fork.Process(target=meet, args=(barrier, places)) for _ in range(2)]
    for child in children:
        child.start()
    mine = [barrier.wait(PATIENCE) for _ in range(10)]
    got = [places.get() for _ in range(20)]
    assert sorted(mine + got) == sorted([0, 1, 2] * 10)
    for child in children:
        child.join(PATIENCE)


def square(number):
    time.sleep(0.002)
    return number * number


def process_pool():
    with fork.Pool(2) as pool:
        assert pool.map(square, range(20)) == [n * n for n in range(20)]


def file_lock():
    """A lock of a file that a child holds, and keeps while it sleeps."""
    path = f"/proc/self/fd/{os.memfd_create('lock')}"
    with open(path, "rb+") as mine:
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            with open(path, "rb+") as own:
                fcntl.lockf(own, fcntl.LOCK_EX)
                os.write(write_end, b"x")
                time.sleep(0.05)
                os._exit(0)
        os.read(read_end, 1)
        fcntl.lockf(mine, fcntl.LOCK_EX)
        os.waitpid(pid, 0)
        os.close(read_end)
        os.close(write_end)


WAYS = {f.__name__: f for f in (
    wait_lock, wait_queue, forked, forked_holding, vforked, with_preexec, spawned, shared_lock, shared_rlock, shared_semaphore, shared_condition, shared_queue, shared_event, shared_barrier,
    process_pool, file_lock,
)}


def application(environ, start_response):
    asked = urllib.parse.parse_qs(environ["QUERY_STRING"])
    for _ in range(int(asked.get("times", ["1"])[0])):
        WAYS[environ["PATH_INFO"].strip("/")]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
