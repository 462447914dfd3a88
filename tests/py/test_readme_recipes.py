"""Every recipe of the README, run as it stands there: files are written, commands typed, nginx set up, outputs compared. Only ports and folders are other ones."""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import threading
import time

import pytest

from nginx import Nginx
from redis_server import Redis
from serving import APPS, PATIENCE, ROOT, Probe, Server, free_port, many, until

pytestmark = pytest.mark.waiting

SECTION = re.search(r"^## Recipes\n(.*?)^## ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]

#: Where an application answers at once, beside that of the recipe.
QUICK = "/quick"

#: Title: list of (language, text) in their order.
RECIPES = {
    part.partition("\n")[0]: re.findall(r"^```(\w+)\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    for part in re.split(r"^(?:### |(?=\*\*[A-Z]))", SECTION, flags=re.MULTILINE)[1:]
}


class Kitchen:
    """A folder in which one recipe is followed. ``asked``: the curl commands that were run, as lists of words."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ports = {}
        self.servers, self.nginx, self.asked = [], None, []
        self.env = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        # In this order: nginx would complain of an upstream that is gone.
        for thing in (self.nginx, *reversed(self.servers)):
            if thing is not None:
                thing.__exit__(*error)

    @property
    def server(self):
        """The one that was started last."""
        return self.servers[-1] if self.servers else None

    def here(self, text):
        """The text with ports and folders of this kitchen."""
        text = re.sub(r"(?<=[:\s=])(8\d\d\d|3306|6379)\b", lambda found: str(self.port(found[0])), text)
        return re.sub(r"(?<![\w.])/(srv|run)/", rf"{self.folder}/\1/", text)

    def port(self, number):
        if number not in self.ports:
            self.ports[number] = free_port()
        return self.ports[number]

    def follow(self, blocks):
        for language, text in blocks:
            step = getattr(self, "do_" + language, None)
            assert step is not None, f"a block of {language}: a recipe is made of python and ini (with the file's name as the first line), console and nginx"
            step(self.here(text))

    def do_python(self, text):
        name = re.match(r"# (\S+\.(?:py|cnf))\n", text)[1]
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    do_ini = do_python

    def do_nginx(self, text):
        self.nginx = Nginx(text, [self.port("8080")])
        self.nginx.__enter__()

    def do_console(self, text):
        (self.folder / "run").mkdir(exist_ok=True)
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            if command.startswith("./ugreen-py "):
                assert not output
                self.serve(shlex.split(command)[1:])
            else:
                if command.startswith("curl "):
                    self.asked.append(shlex.split(command))
                assert self.type(command) == output, command

    def serve(self, words):
        listens = [word for word in words if word in ("--http", "--https", "-s", "--socket")]
        if not listens:
            words = [*words, "--http", f"127.0.0.1:{self.port('8000')}"]
        # Beside the recipe's application there is one that answers at once.
        words = [*words, "--mount", f"{QUICK}={APPS / 'quick.py'}"]
        self.servers.append(Server(None, None, words, cwd=self.folder, http=None, apps=False, ready=False, env=self.env))
        self.server.__enter__()
        self.server.wait_log("listening on ")

    def type(self, command):
        if command.startswith("curl "):
            # It prints its progress where there is no terminal.
            command = command.replace("curl ", f"curl -sS --max-time {PATIENCE} ", 1)
        # Nobody installs anything here; to put pip into the environment takes nine seconds.
        command = command.replace("-m venv ", "-m venv --without-pip ")
        path = os.pathsep.join(["/usr/bin", os.environ["PATH"]])
        done = subprocess.run(command, shell=True, cwd=self.folder, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * PATIENCE)
        assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def redis_port():
    with Redis() as server:
        yield server.port


@pytest.fixture
def kitchen():
    with tempfile.TemporaryDirectory(prefix="ugreen-recipe-") as folder, Kitchen(folder) as k:
        yield k


def test_the_section_was_found():
    assert len(RECIPES) >= 7 and all(blocks for blocks in RECIPES.values())
    assert BLOCKING < set(RECIPES) and set(CHECKS) < set(RECIPES)


# Those that wait by what knows nothing of the server.
BLOCKING = {
    "Flask", "Flask with requests", "Django", "PostgreSQL with psycopg2", "PostgreSQL with SQLAlchemy", "MySQL and MariaDB", "Redis", "asyncio", "dogpile.cache",
    "A request that asks its own server",
}


@pytest.mark.parametrize("title", [pytest.param(title, marks=pytest.mark.green_waits if title in BLOCKING else ()) for title in RECIPES])
def test_recipe(kitchen, title, request):
    if title.startswith("PostgreSQL "):
        kitchen.env = request.getfixturevalue("database").variables
    elif title.startswith("MySQL "):
        kitchen.ports["3306"] = request.getfixturevalue("mysql").port
    elif title == "Redis":
        kitchen.ports["6379"] = request.getfixturevalue("redis_port")
    kitchen.follow(RECIPES[title])
    assert kitchen.server is not None and kitchen.asked, "a recipe starts the server and asks it for something"
    CHECKS.get(title, lambda kitchen: None)(kitchen)


@pytest.mark.green_waits
def test_all_cores_ask_their_own_server(kitchen):
    """Nobody is left to answer; the time-out ends that, and the worker goes on."""
    source = next(text for language, text in RECIPES["A request that asks its own server"] if language == "python")
    kitchen.do_python(source.replace("timeout=5", "timeout=1"))
    with Server("total:app", 4, ["--pythonpath", kitchen.folder]) as server:
        assert {answer.status for answer in many(4, lambda i: server.get("/total"))} <= {200, 500}
        assert server.get("/total").text == "the total is 9\n"


# :: What the text says beside


def crowd(kitchen, expected, path=None):
    """Many clients at once, each waits for half a second, all of them together for hardly more; others are answered meanwhile. ``expected``: the answers, in the order of clients."""
    url = kitchen.asked[0][1] if path is None else f"http://127.0.0.1:{kitchen.port('8000')}{path}"
    with Probe(kitchen.port("8000"), QUICK) as probe:
        start = time.monotonic()
        answers = many(len(expected), lambda i: kitchen.type(f"curl {url.replace('you', f'client{i}')}"))
        took = time.monotonic() - start
    assert answers == expected
    assert took < len(expected) / 4, f"{took} s: one after the other takes {len(expected) / 2} s"
    probe.check(0.25)
    assert "holds up" not in kitchen.server.log


def check_twenty_at_once(kitchen):
    crowd(kitchen, [f"Hello client{i}, you asked for /hello/client{i}\n" for i in range(20)])


def check_twenty_answers(kitchen):
    crowd(kitchen, ["the database says 42\n"] * 20)


def check_twenty_prices(kitchen):
    crowd(kitchen, ["tea costs 3\n"] * 20)


def check_event_loops_side_by_side(kitchen):
    crowd(kitchen, ["together 42\n"] * 20, "/view")
    crowd(kitchen, ["alone 42\n"] * 20, "/run")


def check_that_one_makes_what_all_want(kitchen):
    crowd(kitchen, ["all about coffee\n"] * 20, "/?coffee")
    assert kitchen.server.log.count("making a report about coffee") == 1


def check_that_a_server_asks_itself(kitchen):
    crowd(kitchen, ["the total is 9\n"] * 20, "/total")


def check_twenty_takers_and_listeners(kitchen):
    import redis

    store = redis.Redis(port=kitchen.port("6379"))
    base = f"http://127.0.0.1:{kitchen.port('8000')}"

    def twenty(path, say, there):
        """Twenty wait; then something is said, or twenty times; their answers."""
        answers = []
        clients = threading.Thread(target=lambda: answers.extend(many(20, lambda i: kitchen.type(f"curl {base}{path}"))))
        clients.start()
        with Probe(kitchen.port("8000"), QUICK) as probe:
            until(there, f"20 wait at {path}")
            probe.wait_for(10)
            said = say()
        clients.join(PATIENCE)
        probe.check(0.25)
        return said, sorted(answers)

    said, taken = twenty("/take", lambda: many(20, lambda i: kitchen.type(f"curl {base}/put?job{i:02}")), lambda: sum(c["cmd"] == "blpop" for c in store.client_list()) == 20)
    assert taken == [f"job{i:02}\n" for i in range(20)]
    said, heard = twenty("/listen", lambda: kitchen.type(f"curl {base}/say?hello"), lambda: dict(store.pubsub_numsub("news"))[b"news"] == 20)
    assert said == "20 heard it\n" and heard == ["hello\n"] * 20
    store.close()


def check_that_lines_come_one_by_one(kitchen):
    """The first line is there a second before the end."""
    with subprocess.Popen(["curl", "-sSN", kitchen.asked[0][-1]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as curl:
        moments = [time.monotonic() for line in curl.stdout]
        curl.wait(PATIENCE)
    assert len(moments) == 3 and all(later - earlier > 0.2 for earlier, later in zip(moments, moments[1:]))


def check_that_a_poll_waits_for_the_next_line(kitchen):
    """Who polls for what nobody has said yet is answered when somebody does."""
    url = kitchen.asked[-1][1].replace("?0", "?1")
    assert subprocess.run(["curl", "-s", "--max-time", "1", url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=PATIENCE).returncode == 28, "curl gave up waiting"
    with subprocess.Popen(["curl", "-sS", "--max-time", str(PATIENCE), url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as poll:
        assert kitchen.type(" ".join(shlex.quote(word) for word in kitchen.asked[0])) == "said\n"
        assert poll.communicate(timeout=2 * PATIENCE)[0] == "Hello everybody\n"


def check_that_requests_wait_for_connections(kitchen):
    """Forty at once, on ten connections: four rounds of a tenth of a second."""
    assert many(40, lambda i: kitchen.type(f"curl {kitchen.asked[0][1]}")) == ["the database says 42\n"] * 40


CHECKS = {
    "Comet chat": check_that_a_poll_waits_for_the_next_line,
    "Flask": check_twenty_at_once,
    "Flask with requests": check_twenty_prices,
    "MySQL and MariaDB": check_twenty_answers,
    "Redis": check_twenty_takers_and_listeners,
    "asyncio": check_event_loops_side_by_side,
    "dogpile.cache": check_that_one_makes_what_all_want,
    "A request that asks its own server": check_that_a_server_asks_itself,
    "Bottle": check_twenty_at_once,
    "Django": check_twenty_at_once,
    "Streaming through nginx": check_that_lines_come_one_by_one,
    "PostgreSQL with psycopg2": check_twenty_answers,
    "PostgreSQL with SQLAlchemy": check_that_requests_wait_for_connections,
}
