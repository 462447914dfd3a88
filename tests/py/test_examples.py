"""Every file in examples/ is run as its docstring says, and the command that the project promises is run as it is written."""

import re
import selectors
import subprocess
import time

import pytest
from serving import PATIENCE, ROOT, Server, free_port, get_bytes, until

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


def check_timers(server):
    lines = until(lambda: len(found := server.get("/").text.splitlines()) >= 3 and found, "three measurements")
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d  \d+\.\d\d", line) for line in lines)
    assert len({line.split()[0] for line in lines}) >= 2, "one a second"


CHECKS = {"hello": check_hello, "cpubound_green": check_cpubound_green, "timers": check_timers}


def test_every_example_has_a_check():
    assert set(EXAMPLES) <= set(CHECKS), "an example without a test in CHECKS"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    with Server(f"examples.{name}", cores=30, apps=False) as server:
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
