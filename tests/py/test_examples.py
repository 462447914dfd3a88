"""Every file in examples/ is run as its docstring says, and the command that the project promises is run as it is written."""

import contextlib
import http.server
import re
import selectors
import subprocess
import threading
import time

import pytest
from serving import PATIENCE, ROOT, Server, free_port, get_bytes, many, read_until, until

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if path.stem != "__init__")


def check_hello(server):
    answer = server.get("/")
    assert (answer.status, answer.text, answer.headers["Content-Type"]) == (200, "Hello from a green thread\n", "text/plain; charset=utf-8")


def check_cpubound_green(server):
    for path, steps in (("/?steps=1000", 1000), ("/", 100_000)):
        lines = server.get(path).text.splitlines()
        core = re.match(r"core (\d+): ", lines[0])[1]
        assert lines == [f"core {core}: {text}" for text in (f"counting to {steps}", *(i * steps // 10 for i in range(1, 11)), "done")]
    for wrong in ("x", "5", "-1", "100000001", "1e3"):
        answer = server.get(f"/?steps={wrong}")
        assert answer.status == 400 and "steps must be a number" in answer.text


def check_sleeping_green(server):
    def naps(i):
        start = time.monotonic()
        lines = server.get("/?seconds=0.2").text.splitlines()
        core = re.match(r"core (\d+): ", lines[0])[1]
        assert lines == [f"core {core}: nap {nap} is over" for nap in (1, 2, 3)]
        return core, time.monotonic() - start

    # Thirty that sleep 0.6 s each, 18 s in all.
    answers = many(30, naps)
    assert len({core for core, _ in answers}) == 30 and all(0.6 <= took < 18 for _, took in answers)
    for wrong in ("x", "-1", "61", "nan", "inf"):
        answer = server.get(f"/?seconds={wrong}")
        assert answer.status == 400 and "seconds must be a number" in answer.text


def check_iobound_green(server):
    with other_server() as (address, together), Server("examples.iobound_green", cores=30, apps=False, options=["--pyargv", address]) as named:
        # Nobody is answered before all thirty have asked.
        answers = many(30, lambda i: named.get("/").text)
        assert together.broken is False and all(re.fullmatch(rf"core \d+: {address} says 200 OK, 100000 bytes\n", answer) for answer in answers)
    with Server("examples.iobound_green", cores=30, apps=False, env={"OTHER_SERVER": f"127.0.0.1:{free_port()}"}) as alone:
        answer = alone.get("/")
        assert answer.status == 502 and "the other server does not answer: it " in answer.text


@contextlib.contextmanager
def other_server():
    """A real HTTP server in this process; its address, and the barrier that thirty requests must reach together."""
    together = threading.Barrier(30)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            together.wait(PATIENCE)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(100_000))

        def log_message(self, *args):
            pass

    class Others(http.server.ThreadingHTTPServer):
        request_queue_size = 100

    with Others(("127.0.0.1", 0), Handler) as others:
        threading.Thread(target=others.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{others.server_port}", together
        finally:
            others.shutdown()


def check_ugreenchat(server):
    """More is in test_chat_protocol.py and test_chat_browser.py."""
    page = server.get("/")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=UTF-8" and page.body == (ROOT / "examples" / "ugreenchat.html").read_bytes()
    with server.connect() as listener:
        listener.sendall(get_bytes("/listen/0?name=Ada"))
        read_until(listener, b'{"here": ["Ada"]}\n')
        said = server.post("/say", "name=Bob&text=Hello", {"Content-Type": "application/x-www-form-urlencoded"}).json
        assert (said["name"], said["text"]) == ("Bob", "Hello")
        read_until(listener, b'"name": "Bob", "text": "Hello"')


def check_sse(server):
    """More is in test_sse.py."""
    assert "new EventSource" in server.get("/").text and server.get("/nothing").status == 404
    with server.connect() as client:
        client.sendall(get_bytes("/events"))
        assert b"Content-Type: text/event-stream\r\n" in read_until(client, b"retry: 2000\n\n")


def check_psycopg2_green(server):
    start = time.monotonic()
    lines = many(30, lambda i: server.get(f"/?n={i}").text)
    assert time.monotonic() - start < 15, "30 times half a second should not take as long as one after the other"
    found = [re.fullmatch(r"2 \* (\d+) = (\d+), says connection (\d+) of core (\d+)\n", line).groups() for line in lines]
    assert [(int(n), int(twice)) for n, twice, _, _ in found] == [(i, 2 * i) for i in range(30)]
    assert len({pid for _, _, pid, _ in found}) == 30
    # Each core keeps its connection.
    n, twice, pid, core = re.findall(r"\d+", server.get("/?n=4").text.removeprefix("2 * "))
    assert (pid, core) in [(p, c) for _, _, p, c in found] and twice == "8"
    answer = server.get("/?n=x")
    assert answer.status == 400 and "invalid input syntax" in answer.text


def check_psycogreen_green(server):
    assert many(10, lambda i: server.get("/").text) == ["row 1\nrow 2\nrow 3\nrow 4\nrow 5\n"] * 10


def check_timers(server):
    lines = until(lambda: len(found := server.get("/").text.splitlines()) >= 3 and found, "three measurements")
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d  \d+\.\d\d", line) for line in lines)
    assert len({line.split()[0] for line in lines}) >= 2, "one a second"


NEED_DATABASE = {"psycopg2_green", "psycogreen_green"}

CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}


def test_every_example_has_a_check():
    assert set(EXAMPLES) <= set(CHECKS), "an example without a test in CHECKS"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, request):
    env = request.getfixturevalue("database").variables if name in NEED_DATABASE else None
    # Streams that nobody ends are cut off at the stop.
    with Server(f"examples.{name}", cores=30, apps=False, env=env, options=["--shutdown-timeout", "1"]) as server:
        CHECKS[name](server)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_how_to_run_it(name):
    assert f"./ugreen-py -w examples.{name}" in (ROOT / "examples" / f"{name}.py").read_text()


class Client:
    """A request whose response lines are noted in the order in which they come among all clients."""

    def __init__(self, server, number, arrivals):
        self.socket = server.connect()
        self.socket.sendall(get_bytes("/", "Connection: close\r\n"))
        self.socket.setblocking(False)
        self.number, self.arrivals, self.data, self.seen = number, arrivals, b"", 0

    def receive(self):
        """False at the end of the connection."""
        piece = self.socket.recv(65536)
        self.data += piece
        lines = re.findall(rb"core (\d+): ([a-z0-9 ]+)\n", self.data)
        for core, text in lines[self.seen:]:
            self.arrivals.append((self.number, int(core), text.decode()))
        self.seen = len(lines)
        return bool(piece)


def test_the_command_that_is_promised():
    """./ugreen-py -w tests.cpubound_green --async 30 --ugreen, with thirty clients at once: all finish, and side by side."""
    # Built, if need be, before anybody looks at the clock.
    subprocess.run([ROOT / "ugreen-py", "--version"], check=True, stdout=subprocess.DEVNULL, timeout=600)
    port = free_port()
    args = ["-w", "tests.cpubound_green", "--async", "30", "--ugreen"]
    server = Server()
    server.args = [str(ROOT / "ugreen-py"), *args, "--http", f"127.0.0.1:{port}"]
    with server:
        arrivals = []
        selector = selectors.DefaultSelector()
        clients = [Client(server, i, arrivals) for i in range(30)]
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        end = time.monotonic() + 2 * PATIENCE
        while selector.get_map():
            assert time.monotonic() < end, "thirty clients took too long"
            for key, _ in selector.select(1):
                if not key.data.receive():
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        selector.close()

    # All complete, each on a core of its own …
    expected = ["counting to 100000", *(str(i * 10_000) for i in range(1, 11)), "done"]
    for client in clients:
        assert client.data.startswith(b"HTTP/1.1 200 OK\r\n") and client.data.endswith(b"0\r\n\r\n")
        assert [text for number, _, text in arrivals if number == client.number] == expected
    assert len({(number, core) for number, core, _ in arrivals}) == len({core for _, core, _ in arrivals}) == 30

    # … and side by side: everybody was half way before anybody was done, and no client's lines came in one run.
    first_done = next(i for i, (_, _, text) in enumerate(arrivals) if text == "done")
    half_way = [i for i, (_, _, text) in enumerate(arrivals) if text == "50000"]
    assert len(half_way) == 30 and max(half_way) < first_done
    changes = sum(a[0] != b[0] for a, b in zip(arrivals, arrivals[1:]))
    assert changes > len(arrivals) // 2


def test_curl_as_the_readme_says():
    with Server("tests.cpubound_green", cores=30, apps=False) as server:
        done = subprocess.run(["curl", "-sSN", f"{server.url}/"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stdout.endswith(": done\n") and len(done.stdout.splitlines()) == 12
