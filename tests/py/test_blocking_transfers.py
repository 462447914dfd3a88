"""Calls that move much, or move it in several parts: whole as for a thread, and on a green thread."""

import time

import pytest

from serving import Server, background, many, until

SETUP = """
import array, contextlib, ctypes, select, struct, tempfile
libc = ctypes.CDLL(None, use_errno=True)
DATA = bytes(range(256)) * 8000
def later(function, *arguments):
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    return timer
def drain(into, read):
    while True:
        piece = read()
        if not piece: return
        into += piece
def header(*parts):
    vector = (ctypes.c_void_p * (2 * len(parts)))(*(x for part in parts for x in (ctypes.addressof(part), len(part))))
    made = (ctypes.c_void_p * 8)(None, None, ctypes.addressof(vector), len(parts), None, None, None, None)
    made.kept = (vector, parts)
    return made
def buffer(data): return (ctypes.c_char * len(data)).from_buffer_copy(data)
def half(data): return data[:len(data) // 2], data[len(data) // 2:]
"""

# Each sends DATA and waits until all of it is on its way.
SENDS = {
    "sendmsg": "return left.sendmsg(half(DATA))",
    "sendmsg_one": "return left.sendmsg([DATA])",
    "writev": "return os.writev(left.fileno(), half(DATA))",
    "sendmmsg": """
        one, two = half(DATA)
        entries = (ctypes.c_void_p * 16)(*header(buffer(one)), *header(buffer(two)))
        kept = buffer(one), buffer(two)
        first, second = header(kept[0]), header(kept[1])
        entries = (ctypes.c_void_p * 16)(*first, *second)
        entries[7] = entries[15] = None
        sent = libc.sendmmsg(left.fileno(), entries, 2, 0)
        return len(DATA) if sent == 2 and (entries[7] or 0) & 0xFFFFFFFF == len(one) and (entries[15] or 0) & 0xFFFFFFFF == len(two) else (sent, entries[7], entries[15])
    """,
    "sendfile": """
        with tempfile.TemporaryFile() as file:
            file.write(DATA)
            file.flush()
            return os.sendfile(left.fileno(), file.fileno(), 0, len(DATA))
    """,
    "socket.sendfile": """
        with tempfile.TemporaryFile() as file:
            file.write(DATA)
            file.seek(0)
            return left.sendfile(file)
    """,
}


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30) as s:
        yield s


@pytest.fixture
def run(server):
    return lambda code, **values: server.run(SETUP + __import__("textwrap").dedent(code), **values)


@pytest.mark.parametrize("how", SENDS)
def test_a_send_is_whole(run, how):
    """The receiver begins late and is slow; nobody is held up."""
    code = f"""
        left, right = socket.socketpair()
        with left, right:
            got = bytearray()
            timer = later(drain, got, lambda: right.recv(65536))
            def send():
{__import__("textwrap").indent(__import__("textwrap").dedent(SENDS[how]), " " * 16)}
            sent = send()
            left.shutdown(socket.SHUT_WR)
            timer.join()
            return [sent, bytes(got) == DATA]
    """
    began = time.monotonic()
    assert many(5, lambda i: run(code)) == [[2_048_000, True]] * 5
    assert time.monotonic() - began < 5


def test_a_vector_into_a_pipe_is_whole(run):
    code = """
        read_end, write_end = os.pipe()
        got = bytearray()
        timer = later(drain, got, lambda: os.read(read_end, 65536))
        sent = os.writev(write_end, [b"a", *half(DATA), b"z"])
        os.close(write_end)
        timer.join()
        os.close(read_end)
        return [sent, bytes(got) == b"a" + DATA + b"z"]
    """
    assert many(5, lambda i: run(code)) == [[2_048_002, True]] * 5


def test_splice_moves_what_there_is(run):
    code = """
        one, two = os.pipe(), os.pipe()
        timer = later(os.write, one[1], b"hello")
        moved = [libc.splice(one[0], None, two[1], None, ctypes.c_size_t(100), 0), os.read(two[0], 10).decode()]
        timer.join()
        left, right = socket.socketpair()
        timer = later(os.write, two[1], b"there")
        moved += [libc.splice(two[0], None, left.fileno(), None, ctypes.c_size_t(100), 0), right.recv(10).decode(), os.get_blocking(left.fileno()), os.get_blocking(two[0])]
        timer.join()
        # SPLICE_F_NONBLOCK
        moved += [libc.splice(two[0], None, left.fileno(), None, ctypes.c_size_t(100), 2), ctypes.get_errno()]
        for fd in (*one, *two): os.close(fd)
        return moved
    """
    began = time.monotonic()
    assert many(10, lambda i: run(code)) == [[5, "hello", 5, "there", True, True, -1, 11]] * 10
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("wait", ["left.recv(5, socket.MSG_WAITALL)", "left.recvmsg(5, 0, socket.MSG_WAITALL)[0]", "left.recv(5, socket.MSG_WAITALL | socket.MSG_PEEK)"])
def test_all_of_a_stream_is_waited_for(run, wait):
    code = f"""
        left, right = socket.socketpair()
        with left, right:
            timers = [later(right.send, b"he"), threading.Timer(0.3, right.send, (b"llo",))]
            timers[1].start()
            got = {wait}
            for timer in timers: timer.join()
            return got.decode()
    """
    assert many(5, lambda i: run(code)) == ["hello"] * 5


@pytest.mark.parametrize("wait", ["left.recv(5, socket.MSG_WAITALL)", "left.recvmsg(5, 0, socket.MSG_WAITALL)[0]"])
def test_a_datagram_is_all_there_is(run, wait):
    code = f"""
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with left, right:
            timer = later(right.send, b"he")
            got = {wait}
            timer.join()
            return got.decode()
    """
    assert run(code) == "he"


def test_the_end_of_a_stream_ends_the_wait_for_all(run):
    assert run("""
        answers = []
        for flags in (socket.MSG_WAITALL, socket.MSG_WAITALL | socket.MSG_PEEK):
            left, right = socket.socketpair()
            with left:
                right.send(b"he")
                timer = later(right.close)
                answers.append(left.recv(5, flags).decode())
                timer.join()
        return answers
    """) == ["he", "he"]


RECEIVE_MANY = """
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        rooms = [buffer(bytes(10)) for _ in range(3)]
        heads = [header(room) for room in rooms]
        entries = (ctypes.c_void_p * 24)(*(word for head in heads for word in head))
        limit = (ctypes.c_long * 2)(*time_limit) if time_limit else None
        began = time.monotonic()
        timers = [threading.Timer(0.1 * i, right.send, (f"number {i}".encode(),)) for i in range(1, sends + 1)]
        for timer in timers: timer.start()
        got = libc.recvmmsg(left.fileno(), entries, 3, flags, limit)
        took = time.monotonic() - began
        for timer in timers: timer.join()
        return [got, [room.raw.rstrip(b"\\0").decode() for room in rooms], ctypes.get_errno() if got < 0 else 0, round(took, 1)]
"""


@pytest.mark.parametrize("sends, flags, limit, expected", [
    (3, 0, None, 3),
    (1, 0x10000, None, 1),  # MSG_WAITFORONE
    (2, 0, (0, 400_000_000), 2),
    (1, 0, (0, 10_000_000), 1),
    (1, 0, (0, 2_000_000_000), -1),
])
def test_messages_are_waited_for(run, sends, flags, limit, expected):
    got, rooms, error, took = run(RECEIVE_MANY, sends=sends, flags=flags, time_limit=limit)
    assert got == expected and error == (22 if expected < 0 else 0)
    assert rooms[:max(0, got)] == [f"number {i}" for i in range(1, got + 1)]
    assert took < 2


def test_fcntl_asks_nobody_but_for_a_lock(server, run):
    """All commands but the two that wait are the C library's own, with their arguments."""
    assert run("""
        import fcntl
        with tempfile.NamedTemporaryFile() as file, open(file.name) as other:
            flags = fcntl.fcntl(file, fcntl.F_GETFL)
            fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
            copy = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 200)
            os.close(copy)
            lock = struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0)
            fcntl.lockf(file, fcntl.LOCK_EX)
            fcntl.lockf(file, fcntl.LOCK_UN)
            fcntl.fcntl(file, fcntl.F_SETLKW, lock)
            told = struct.unpack("hhqqixxxx", fcntl.fcntl(file, fcntl.F_GETLK, lock))
            return [fcntl.fcntl(file, fcntl.F_GETFL) & os.O_APPEND != 0, copy >= 200, told[0] == fcntl.F_UNLCK]
    """) == [True, True, True]


def test_a_file_lock_of_another_process(run):
    """Green threads wait for it on threads; others run."""
    with background(many, 3, lambda i: run("""
        import fcntl, subprocess
        with tempfile.NamedTemporaryFile() as file:
            holder = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
            child = subprocess.Popen([sys.argv[0] if False else "/usr/bin/python3", "-c", holder, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert child.stdout.readline() == b"held\\n"
            later(child.communicate)
            fcntl.lockf(file, fcntl.LOCK_EX)
            return "locked"
    """)) as waiting:
        until(lambda: run("import ugreen; return 'in fcntl' in ugreen.dump()"), "they wait for the lock")
        assert waiting.result(20) == ["locked"] * 3
