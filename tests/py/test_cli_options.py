"""The command line: what it accepts, and that every mistake is explained in one message without a stack trace of .NET."""

import glob
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

import pytest
from apps_http.wire import APPS_HTTP
from serving import PYTHON_VERSION, ROOT, Server, command, until

PYTHON = "/usr/bin/python3"
USAGE, FAILURE = 2, 1


class Ended:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr
        self.text = self.out + self.err
        assert not re.search(r"^ +at [A-Z]\w+\.|Unhandled exception|System\.\w+Exception", self.text, re.MULTILINE), self.text
        assert self.code >= 0, f"killed by signal {-self.code}: {self.text}"

    def __repr__(self):
        return f"<exit code {self.code}>\n{self.text}"


def run(*arguments, env=None, cwd=ROOT, program=None, timeout=300):
    """Run the server to its end. The time is for the launcher, which waits while somebody else builds."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    return Ended(subprocess.run(
        [*(program or command()), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
        env=environment, cwd=cwd,
    ))


def refused(*arguments, code=FAILURE, http=True, **options):
    """Run with a port of its own; it must not start. Returns all output."""
    ended = run(*arguments, *(["--http", "127.0.0.1:0"] if http else []), **options)
    assert ended.code == code, ended
    assert "listening on" not in ended.text, ended
    return ended.text


def serving(*options, app=None, **more):
    return Server(app, cores=more.pop("cores", 3), options=[*options, "--pp", APPS_HTTP], **more)


# :: Help


def test_help():
    ended = run("--help")
    assert ended.code == 0 and ended.err == ""
    groups = re.findall(r"^(\S.*):$", ended.out, re.MULTILINE)
    assert groups == ["Application", "Configuration files", "Static files", "Sockets", "Green threads", "Limits", "Python", "Logging", "Master and workers", "Process", "Accepted for uWSGI's sake, without an effect", "Examples"]
    for option in (
        "-w, --module", "--wsgi-file", "--callable", "--http", "--async", "--ugreen", "--ugreen-stacksize", "--ugreen-switch", "--pythonpath", "--pp", "--chdir",
        "-H, --virtualenv", "--python", "--log-level", "--disable-logging", "--version", "--help",
    ):
        assert option in ended.out, option
    for default in ("(default 127.0.0.1:8000)", "(default 100)", "(default 256 to 1024, as many as fit)", "(default direct)", "(default info)", "(default application)"):
        assert default in ended.out, default
    examples = ended.out.partition("Examples:\n")[2].strip().splitlines()
    assert len(examples) == 2 and all(line.strip().startswith("ugreen-py ") for line in examples)
    assert max(map(len, ended.out.splitlines())) <= 130


def test_help_wins_over_other_options():
    assert run("-h").out == run("--help", "--async", "4").out != ""


def test_version():
    ended = run("--version")
    assert ended.code == 0
    assert re.fullmatch(r"ugreen-py \d+\.\d+\.\d+\S*\n", ended.out)


# :: Mistakes in the command line


@pytest.mark.parametrize("arguments, expected", [
    (["--asnyc", "3"], "unknown option --asnyc; did you mean --async?"),
    (["--modul=x"], "unknown option --modul; did you mean --module?"),
    (["--htp", ":1"], "did you mean --http?"),
    (["--plugins", "python3"], "option --plugins is one of uWSGI's that this server does not have yet"),
    (["--zzzzzz"], "unknown option --zzzzzz; see --help"),
    (["-J"], "unknown option -J"),
    (["--processes", "0"], "--processes: '0' is neither a number from 1 to 1024 nor 'auto'"),
    (["--max-requests", "-1"], "--max-requests: -1 is out of range (0 to "),
    (["--cheaper", "2", "-p", "2"], "--cheaper: 2 is not less than the 2 of --processes"),
    (["--cron", "61 -1 -1 -1 -1 true"], "--cron: '61 -1 -1 -1 -1 true': '61' is no minute: "),
    (["--async"], "option --async needs a value"),
    (["--http"], "option --http needs a value"),
    (["-w"], "option --module needs a value"),
    (["--async", "--ugreen"], "option --async needs a value"),
    (["--ugreen=yes"], "option --ugreen takes no value"),
    (["--async", "many"], "--async: 'many' is not a whole number"),
    (["--async", "1.5"], "--async: '1.5' is not a whole number"),
    (["--async", "0"], "--async: 0 is out of range (1 to "),
    (["--async", "-1"], "--async: -1 is out of range"),
    (["--async", "99999999999999999999"], "--async: "),
    (["--async", ""], "--async: the value is empty"),
    (["--async", "2", "--async", "3"], "option --async is given more than once"),
    (["--ugreen-stacksize", "1"], "--ugreen-stacksize: 1 is out of range (16 to "),
    (["--ugreen-stacksize", "abc"], "--ugreen-stacksize: 'abc' is not a whole number"),
    (["--async-queue", "-5"], "--async-queue: -5 is out of range"),
    (["--shutdown-timeout", "soon"], "--shutdown-timeout: 'soon' is not a whole number"),
    (["--ugreen-switch", "fast"], "--ugreen-switch: 'fast' is not known; expected direct or posix"),
    (["--log-level", "loud"], "--log-level: 'loud' is not known; expected trace, "),
    (["--chdir", "/nonexistent"], "--chdir: '/nonexistent' is not a directory"),
    (["--chdir", "/etc/passwd"], "--chdir: '/etc/passwd' is not a directory"),
    (["-H", "/nonexistent"], "--virtualenv: '/nonexistent' is not a directory"),
    (["--python", "/nonexistent/python3"], "--python: '/nonexistent/python3' does not exist"),
    (["--python", ""], "--python: the value is empty"),
    (["--callable", ""], "--callable: the value is empty"),
    (["--wsgi-file", "x.py"], "one application only"),
    (["second"], "one application only"),
])
def test_a_wrong_option(arguments, expected):
    text = refused("-w", "cli_app", *arguments, code=USAGE) if arguments != ["-w"] else refused(*arguments, code=USAGE)
    assert expected in text
    assert all(line.startswith("ugreen-py: ") for line in text.splitlines()), text


@pytest.mark.parametrize("address, expected", [
    ("", "empty"), (":", "the port is missing"), ("1.2.3:80", "not an IPv4 address of four numbers"), ("unix:/run/x", "without 'unix:'"), (":0x50", "'0x50' is not a port"), (":65536", "'65536' is not a port"), (":-1", "'-1' is not a port"),
    ("host:", "the port is missing"), ("http://127.0.0.1:80", "without a scheme"), ("::1:80", "brackets"), ("[::1]", "port must follow"), ("[::1", "bracket"), ("[zz]:80", "not an IPv6"),
    ("999.1.1.1:80", "not an IPv4"), ("a b:80", "not a host name"), ("127.0.0.1:80:90", "bracket"),
])
def test_a_wrong_address(address, expected):
    text = refused("-w", "cli_app", "--http", address, http=False, code=USAGE)
    assert expected in text and "--http" in text


def test_all_mistakes_are_told_at_once():
    text = refused("-w", "cli_app", "--async", "x", "--ugreen-switch", "y", "--log-level", "z", "--http", "nonsense:", http=False, code=USAGE)
    assert len(text.splitlines()) == 4, text


def test_no_application():
    assert "no application: give --module" in refused(code=USAGE)


@pytest.mark.parametrize("name", ["a/b", "x.py", "a..b", "1a", "a-b", "", ":app"])
def test_a_wrong_module_name(name):
    assert "--module" in refused("-w", name, code=USAGE)


# :: Mistakes in the application


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A folder of modules that cannot be served."""
    folder = tmp_path_factory.mktemp("broken")
    for name, text in {
        "raises": "def f():\n    raise ValueError('of the module')\nf()\n",
        "imports_missing": "import there_is_no_such_module\n",
        "syntax": "def application(:\n    pass\n",
        "exits": "import sys\nsys.exit(7)\n",
        "exits_ok": "import sys\nsys.exit()\n",
        "interrupts": "raise KeyboardInterrupt\n",
        "empty": "",
        "named_app": "def app(e, s): pass\n",
        "number": "application = 42\n",
        "factory_raises": "def make():\n    raise RuntimeError('in the factory')\n",
        "factory_none": "def make():\n    return None\n",
        "nul": "x = '\0'\n",
    }.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    (folder / "not_python.wsgi").write_text("this is no python\n")
    (folder / "latin.py").write_bytes(b"x = '\xff'\n")
    return folder


@pytest.mark.parametrize("arguments, expected, has_traceback", [
    (["-w", "no_such_module"], "-w no_such_module: there is no module 'no_such_module' in ", False),
    (["-w", "package.missing"], "there is no module 'package.missing'", False),
    (["-w", "no_package.missing"], "there is no module 'no_package'", False),
    (["-w", "empty"], "empty has no callable 'application'", False),
    (["-w", "empty:app"], "empty has no callable 'app'", False),
    (["-w", "named_app"], "named_app has no callable 'application'; it has 'app': say named_app:app or --callable app", False),
    (["-w", "number"], "'application' in number is not callable, it is a int", False),
    (["-w", "named_app:app.nothing"], "named_app has no callable 'app.nothing'", False),
    (["-w", "raises"], "ValueError: of the module", True),
    (["-w", "imports_missing"], "ModuleNotFoundError: No module named 'there_is_no_such_module'", True),
    (["-w", "syntax"], "SyntaxError: ", True),
    (["-w", "nul"], "null bytes", False),
    (["-w", "latin"], "utf-8", True),
    (["-w", "exits"], "the application called sys.exit(7) while it was imported", True),
    (["-w", "exits_ok"], "the application called sys.exit(None) while it was imported", True),
    (["-w", "interrupts"], "KeyboardInterrupt", True),
    (["-w", "factory_raises:make()"], "RuntimeError: in the factory", True),
    (["-w", "factory_none:make()"], "is not callable, it is a NoneType", False),
    (["--wsgi-file", "no_such_file.py"], "--wsgi-file no_such_file.py: no such file (in ", False),
    (["--wsgi-file", "package"], "--wsgi-file package: no such file", False),
    (["--wsgi-file", "not_python.wsgi"], "SyntaxError: ", True),
    (["--wsgi-file", "empty.py"], "empty.py has no callable 'application'", False),
])
def test_an_application_that_cannot_be_loaded(broken, arguments, expected, has_traceback):
    text = refused(*arguments, cwd=broken)
    assert expected in text
    assert ("line " in text and ("Traceback" in text or "File" in text)) == has_traceback, text
    # The file of the application's mistake is shown, and nothing of the server's or importlib's own.
    assert "_boot.py" not in text and "importlib" not in text, text


def test_the_port_is_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = refused("-w", "cli_app", "--pp", APPS_HTTP, "--pp", ROOT / "tests/py/apps", "--http", f"127.0.0.1:{port}", http=False)
        assert f"cannot listen on --http 127.0.0.1:{port}: the address is already in use" in text


def test_an_address_that_is_not_ours():
    text = refused("-w", "examples.hello", "--http", "192.0.2.1:0", http=False)
    assert "--http 192.0.2.1:0: the address does not belong to this machine" in text


def test_a_host_name_that_does_not_exist():
    assert "'name.invalid' cannot be looked up" in refused("-w", "examples.hello", "--http", "name.invalid:0", http=False)


@pytest.mark.parametrize("options", [["--async", "100000"], ["--async", "1000", "--ugreen-stacksize", "65536"], ["--async", "3000"]])
def test_more_stacks_than_a_thread_can_have(options):
    text = refused("-w", "examples.hello", *options)
    assert "--async" in text and "--ugreen-stacksize" in text
    assert re.search(r"\d", text) and len(text.splitlines()) == 1, text


def test_more_cores_with_smaller_stacks():
    with Server("examples.hello", cores=5000, options=["--ugreen-stacksize", "64"]) as server:
        assert server.get("/").status == 200


# :: Applications in all forms


@pytest.mark.parametrize("app", ["cli_app:other", "cli_app:make()", "cli_app:Holder.app"])
def test_callable_of_a_module(app):
    with serving(app=app) as server:
        assert server.get("/").json == "other"


@pytest.mark.parametrize("options", [
    ["-w", "cli_app", "--callable", "other"],
    ["--wsgi", "cli_app", "--callable=make()"],
    ["-wcli_app:other"],
    ["--module=cli_app:other"],
    ["cli_app:other"],
    [f"{APPS_HTTP}/cli_app.py:other"],
    ["--wsgi-file", f"{APPS_HTTP}/cli_app.py", "--callable", "other"],
    ["--file", f"{APPS_HTTP}/cli_app.py", "--callable", "Holder.app"],
])
def test_callable_by_options(options):
    with serving(*options) as server:
        assert server.get("/").json == "other"


def test_a_wsgi_file_with_another_ending(tmp_path):
    """The name need not end in .py, nor be an identifier, and it is relative to the folder after --chdir."""
    (tmp_path / "my-site.wsgi").write_text("import cli_app\n\ndef application(environ, start_response):\n    return cli_app.answer(start_response, [__name__, __file__])\n")
    for options in (["--wsgi-file", "my-site.wsgi"], ["my-site.wsgi"]):
        with serving("--chdir", tmp_path, *options) as server:
            name, file = server.get("/").json
            assert name.startswith("uwsgi_file_") and file == str(tmp_path / "my-site.wsgi")


def test_a_package(tmp_path):
    (tmp_path / "site_a" / "inner").mkdir(parents=True)
    (tmp_path / "site_a" / "inner" / "wsgi.py").write_text("from . import value\ndef application(e, s):\n    s('200 OK', [])\n    return [value.encode()]\n")
    (tmp_path / "site_a" / "inner" / "__init__.py").write_text("value = 'relative'\n")
    with Server("site_a.inner.wsgi", cwd=tmp_path) as server:
        assert server.get("/").text == "relative"


# :: Python's surroundings


def interpreter(server):
    return server.get("/interpreter").json


def test_pythonpath_order(tmp_path):
    """The last one comes first, as with uWSGI, and the current folder before them all."""
    for name in ("a", "b", "here", "env"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "who_am_i.py").write_text(f"VALUE = {name!r}\n")
    options = ["-w", "cli_app", "--pp", tmp_path / "a", "--pythonpath", tmp_path / "b"]
    with Server(None, options=["--pp", APPS_HTTP, *options], cwd=ROOT, env={"PYTHONPATH": tmp_path / "env"}) as server:
        path = interpreter(server)["path"]
        assert path[:3] == [str(ROOT), str(tmp_path / "b"), str(tmp_path / "a")]
        assert str(tmp_path / "env") in path
        assert server.get("/imports?name=who_am_i").json == {"who_am_i": "b"}
    with Server(None, options=["--pp", APPS_HTTP, *options], cwd=tmp_path / "here") as server:
        assert server.get("/imports?name=who_am_i").json == {"who_am_i": "here"}


def test_pythonpath_of_the_environment(tmp_path):
    (tmp_path / "only_there.py").write_text("VALUE = 'by the environment'\n")
    with serving(app="cli_app", env={"PYTHONPATH": str(tmp_path)}) as server:
        assert server.get("/imports?name=only_there").json == {"only_there": "by the environment"}


def test_chdir(tmp_path):
    (tmp_path / "in_folder.py").write_text("from cli_app import application\n")
    with serving("--chdir", tmp_path, app="in_folder") as server:
        found = interpreter(server)
        assert found["cwd"] == str(tmp_path) and found["path"][0] == str(tmp_path)


def test_libraries_of_python_work():
    with serving(app="cli_app") as server:
        found = server.get("/libraries").json
        assert found == {
            "ssl": True, "sqlite3": 42, "ctypes": 1, "decimal": "0.142857", "hashlib": "a7ff", "compression": ["z", "b", "l"], "unicodedata": "LATIN SMALL LETTER Z WITH DOT ABOVE",
            "subprocess": "out\n", "thread": 499500,
        }
        own = interpreter(server)
        plain = subprocess.check_output([PYTHON, "-c", "import sys; print(sys.version.split()[0], sys.prefix, sys.executable)"], text=True).split()
        assert [own["version"], own["prefix"]] == plain[:2]
        assert os.path.realpath(own["executable"]) == os.path.realpath(plain[2])
        assert "/usr/lib/python3/dist-packages" in own["path"]


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("venv") / "my venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    [packages] = folder.glob("lib/python3*/site-packages")
    (packages / "only_in_venv.py").write_text("VALUE = 'in the venv'\n")
    (packages / "extra.pth").write_text("/tmp\n")
    return folder


@pytest.mark.parametrize("option", ["-H", "--virtualenv", "--venv", "--home"])
def test_virtualenv(venv, option):
    with serving(option, venv, app="cli_app") as server:
        found = interpreter(server)
        assert (found["prefix"], found["base_prefix"]) == (str(venv), "/usr")
        assert os.path.dirname(found["executable"]) == str(venv / "bin")
        assert "/tmp" in found["path"], ".pth files count"
        assert "/usr/lib/python3/dist-packages" not in found["path"]
        assert server.get("/imports?name=only_in_venv&name=flask").json == {"only_in_venv": "in the venv", "flask": "ImportError: No module named 'flask'"}


def test_a_folder_that_is_no_virtualenv(tmp_path):
    assert "not a virtual environment (no pyvenv.cfg in it)" in refused("-H", tmp_path, "-w", "examples.hello")


def test_a_virtualenv_of_another_version(venv, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(venv, other, symlinks=True)
    text = (other / "pyvenv.cfg").read_text()
    (other / "pyvenv.cfg").write_text(re.sub(r"(?m)^version = .*$", "version = 3.6.1", text))
    message = refused("-H", other, "-w", "examples.hello")
    assert "3.6" in message and "3.11" in message


VERSION = "%d.%d" % PYTHON_VERSION
LIBPYTHON = glob.glob(f"/usr/lib/*/libpython{VERSION}.so.1.0")[0]


@pytest.mark.parametrize("value", [LIBPYTHON, PYTHON, f"/usr/bin/python{VERSION}"])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_which_python(value, how):
    options, env = (["--python", value], {}) if how == "option" else ([], {"UGREEN_PYTHON": value})
    with serving(*options, app="cli_app", env=env) as server:
        assert interpreter(server)["version"].startswith(f"{VERSION}.")
        server.wait_log(rf"python +{VERSION}\.\d+ \(/.*libpython{VERSION}" if value == LIBPYTHON else rf"python +{VERSION}\.\d+ \(/usr/bin/python{VERSION}\)")


def test_the_option_wins_over_the_environment():
    with serving("--python", PYTHON, app="cli_app", env={"UGREEN_PYTHON": "/nonexistent"}) as server:
        assert server.get("/").status == 200


def test_a_wrong_ugreen_python():
    assert "UGREEN_PYTHON: '/nonexistent' does not exist" in refused("-w", "examples.hello", env={"UGREEN_PYTHON": "/nonexistent"}, code=USAGE)


DEBUG_BUILDS = glob.glob("/usr/bin/python3.*d")


@pytest.mark.skipif(not DEBUG_BUILDS, reason="no debug build of Python here (Debian: python3-dbg)")
def test_a_debug_build_is_refused_in_one_sentence():
    message = refused("--python", DEBUG_BUILDS[0], "-w", "examples.hello")
    assert re.search(r"CPython 3\.\d+\.\d+ is not supported: it is a debug build.* Known versions \(64 bit\): 3\.11, .*Name one with --python PATH\.", message), message


def test_things_that_are_no_python(tmp_path):
    """A program that is something else, a file that is no program, a library that is something else."""
    script = tmp_path / "python3"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    assert "is neither a libpython nor a Python executable (it exited with 3)" in refused("--python", script, "-w", "examples.hello")
    text = tmp_path / "text"
    text.write_text("not a program\n")
    assert f"--python {text}" in refused("--python", text, "-w", "examples.hello")
    library = tmp_path / "libpython3.11.so"
    library.write_text("not a library\n")
    assert str(library) in refused("--python", library, "-w", "examples.hello")
    assert "/bin/true" in refused("--python", "/bin/true", "-w", "examples.hello")
    assert str(tmp_path) in refused("--python", tmp_path, "-w", "examples.hello")


@pytest.mark.parametrize("environment", [{"LC_ALL": "C", "LANG": None}, {"LC_ALL": None, "LANG": None}, {"LC_ALL": "C.UTF-8"}])
def test_utf8_in_every_locale(environment):
    with serving(app="cli_app", env={"PYTHONUTF8": None, "PYTHONIOENCODING": None, **environment}) as server:
        found = interpreter(server)
        assert (found["encoding"].lower(), found["filesystem"].lower()) == ("utf-8", "utf-8")


# :: Engines


@pytest.mark.parametrize("kind", ["direct", "posix"])
def test_switches(kind):
    with Server("wsgi_app", cores=5, options=["--ugreen-switch", kind, "--pp", APPS_HTTP]) as server:
        server.wait_log(f"ugreen, {kind} switch")
        for _ in range(3):
            assert server.get("/as-generator").text == "one two three"
            assert server.get("/raises?when=first&note=x").status == 500


def test_defaults():
    with serving(app="cli_app", cores=None) as server:
        assert server.get("/module").json["cores"] == 100
        assert re.search(r"cores +100, \d+ KiB stack each", server.log)


# :: The uwsgi module


def test_uwsgi_module(tmp_path):
    options = ["--ugreen-stacksize=128", "--pp", tmp_path, "--pp=/tmp", "--disable-logging"]
    with serving(*options, app="cli_app", cores=7) as server:
        found = server.get("/module").json
    assert re.fullmatch(r"b'\d+\.\d+\.\d+.*'", found["version"])
    assert found["version_info"].startswith("(") and found["version_info"].count(",") == 4
    assert found["hostname"] == repr(socket.gethostname().encode())
    assert (found["numproc"], found["cores"], found["worker_id"], found["masterpid"], found["mule_id"]) == (1, 7, 1, 0, 0)
    assert found["micros"] > 1_700_000_000_000_000 and abs(found["micros"] / 1e6 - found["started_on"]) < 60
    assert 1 << 20 < found["resident"] < found["virtual"]
    assert found["pid"] == server.pid
    assert found["spool"] == [-2, -1, 0]
    opt = found["opt"]
    assert (opt["async"], opt["ugreen"], opt["ugreen-stacksize"], opt["disable-logging"], opt["http"]) == ("b'7'", "True", "b'128'", "True", "b'127.0.0.1:0'")
    assert opt["pp"] == repr([str(tmp_path).encode(), b"/tmp", APPS_HTTP.encode()])
    assert (found["async_id"], found["imported_on"]) == (found["core"], -1)
    assert found["request_id"] == 0
    assert (found["suspend"], found["green_schedule"], found["async_sleep"], found["ready_fd"], found["is_connected"]) == (True, True, "b''", -1, True)
    assert found["connection_fd"] > 2 or found["connection_fd"] == -1
    assert found["version_is_environs"] and found["ugreen"]
    for key, error in {
        "log_not_str": "TypeError", "log_no_argument": "TypeError", "sleep_text": "TypeError", "fd_text": "TypeError", "fd_closed": "OSError", "fd_negative": "OSError",
    }.items():
        assert found[key].startswith(error), (key, found[key])
    assert "unable to fd" in found["fd_closed"]
    async_id, request_id, connection_fd, ready_fd, suspend, log = found["foreign"]
    assert (async_id, ready_fd, suspend, log) == ("-1", "-1", "True", "True")
    assert "you can call uwsgi api function only from the main callable" in request_id and "only from the main callable" in connection_fd
    assert found["docs"] == []


def test_request_id_counts_per_core():
    with serving(app="cli_app", cores=1) as server:
        assert [server.get("/request-id").json for _ in range(5)] == [[0, i] for i in range(5)]


@pytest.mark.parametrize("module", ["uwsgi", "ugreen"])
def test_import_outside_the_server(module):
    ended = subprocess.run(
        [PYTHON, "-c", f"import {module}"], env={**os.environ, "PYTHONPATH": str(ROOT / "python" / "uwsgi_shim"), "PYTHONDONTWRITEBYTECODE": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
    )
    assert ended.returncode == 1
    last = ended.stdout.strip().splitlines()[-1]
    assert last.startswith("ImportError: ") and "./ugreen-py -w" in last
    assert "During handling" not in ended.stdout


# :: The launcher


def test_the_launcher_through_a_symlink_and_from_elsewhere(tmp_path):
    link = tmp_path / "bin" / "serve"
    link.parent.mkdir()
    link.symlink_to(ROOT / "ugreen-py")
    (tmp_path / "here.py").write_text("from cli_app import application\n")
    relative = tmp_path / "relative"
    relative.symlink_to(os.path.relpath(link, tmp_path))
    for program in ([str(link)], ["./bin/serve"], ["./relative"], ["sh", "bin/serve"]):
        assert run("--version", program=program, cwd=tmp_path).out.startswith("ugreen-py ")
    on_path = {"PATH": f"{link.parent}:{os.environ['PATH']}"}
    assert run("--version", program=["sh", "-c", 'exec serve "$@"', "sh"], cwd=tmp_path, env=on_path).out.startswith("ugreen-py ")

    server = serving("-w", "here", cwd=tmp_path)
    server.args[:len(command())] = [str(link)]
    with server:
        found = interpreter(server)
        assert found["cwd"] == str(tmp_path) == found["path"][0]
        # The launcher becomes the server: signals and the exit code are the server's own.
        assert pathlib.Path(f"/proc/{server.pid}/comm").read_text() == "ugreen-py\n"


def test_the_launcher_passes_arguments_unchanged(tmp_path):
    folder = tmp_path / "a folder with 'quotes' $HOME and * żółw"
    folder.mkdir()
    (folder / "here.py").write_text("from cli_app import application\n")
    assert run("--version", program=[str(ROOT / "ugreen-py")]).code == 0, "built, if need be"
    server = serving("--chdir", folder, "-w", "here")
    server.args[:len(command())] = [str(ROOT / "ugreen-py")]
    with server:
        assert interpreter(server)["cwd"] == str(folder)
        assert until(lambda: server.running, "the server")


def test_these_tests_run_under_debians_python():
    assert sys.version_info[:2] == (3, 11)
