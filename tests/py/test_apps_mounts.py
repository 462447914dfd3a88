"""Several applications in one worker, applications that cannot be loaded, and what --env, --set, --import, --pyargv and --add-header do."""

import contextlib
import json
import socket
import struct

import pytest

from apps_http.wire import APPS_HTTP
from serving import PATIENCE, Server, read_all
from test_cli_options import refused


def serving(*options, app=None, **more):
    return Server(app, cores=more.pop("cores", 3), options=[*options, "--pp", APPS_HTTP], **more)


def told(server, path):
    answer = server.get(path)
    assert answer.status == 200, (path, answer.text)
    return answer.json["name"], answer.json["script"], answer.json["path"]


# :: Which application, and what becomes of the path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mounts")
    file = folder / "counted.wsgi"
    file.write_text(f"import sys\nsys.path.insert(0, {APPS_HTTP!r})\nfrom mounts_app import make\nimport builtins\n"
                    "builtins.runs = getattr(builtins, 'runs', 0) + 1\none, two = make(f'one of {runs}'), make(f'two of {runs}')\n")
    with serving(
        "--mount", "/blog=mounts_app:blog", "--mount", "/blog/shop/=mounts_app:shop", "--mount", "/dot=mounts_app:Holder.inner", "--mount", "/made=mounts_app:factory()",
        "--mount", f"/one={file}:one", "--mount", f"/two={file}:two", "--mount", "/a b/é=mounts_app:blog", "--mount=/file=mounts_app.py:shop", "--manage-script-name",
        "-s", str(folder / "app.sock"), "--chdir", APPS_HTTP, app="mounts_app",
    ) as s:
        s.uwsgi_path = str(folder / "app.sock")
        yield s


@pytest.mark.parametrize("path, expected", [
    ("/", ("root", "", "/")),
    ("/other/blog", ("root", "", "/other/blog")),
    ("/blog", ("blog", "/blog", "")),
    ("/blog/", ("blog", "/blog", "/")),
    ("/blog/post?x=/blog/shop", ("blog", "/blog", "/post")),
    ("/blogger", ("root", "", "/blogger")),
    ("/Blog", ("root", "", "/Blog")),
    ("/blog/shop", ("shop", "/blog/shop", "")),
    ("/blog/shop/x", ("shop", "/blog/shop", "/x")),
    ("/blog/shopping", ("blog", "/blog", "/shopping")),
    ("//blog/x", ("root", "", "//blog/x")),
    ("/blog//x", ("blog", "/blog", "//x")),
    ("/%62log/x%2Fy", ("blog", "/blog", "/x/y")),
    ("/blog%2Fshop", ("shop", "/blog/shop", "")),
    ("/dot/x", ("dotted", "/dot", "/x")),
    ("/made/x", ("factory", "/made", "/x")),
    ("/one/x", ("one of 1", "/one", "/x")),
    ("/two/x", ("two of 1", "/two", "/x")),
    ("/file/x", ("shop", "/file", "/x")),
    ("/a%20b/%C3%A9/z", ("blog", "/a b/\u00c3\u00a9", "/z")),
])
def test_the_longest_mountpoint_moves_to_script_name(server, path, expected):
    assert told(server, path) == expected


def test_a_traceback_shows_the_application_only(server):
    start = len(server.log)
    answer = server.get("/blog/raise")
    assert answer.status == 500 and answer.text == "Internal Server Error\n"
    server.wait_log("ValueError: raised in blog", start=start)
    assert "_apps.py" not in server.log[start:] and "_driver.py" not in server.log[start:]


def over_uwsgi(path, **variables):
    block = b"".join(
        struct.pack("<H", len(part)) + part
        for pair in {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", **variables}.items() for part in (text.encode() for text in pair))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(struct.pack("<BHB", 0, len(block), 0) + block)
        head, _, body = read_all(s).partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("script, path, expected", [
    (None, "/blog/x", ("blog", "/blog", "/x")),
    ("", "/blog/x", ("blog", "/blog", "/x")),
    ("/blog", "/x", ("blog", "/blog", "/x")),
    ("/blog", "/blog/x", ("blog", "/blog", "/blog/x")),     # moved by the front already: the path below may look the same
    ("/prefix", "/blog/x", ("blog", "/prefix/blog", "/x")),
    ("/prefix", "/x", ("root", "/prefix", "/x")),
    ("/a b/é", "/x", ("blog", "/a b/\u00c3\u00a9", "/x")),
])
def test_script_name_of_a_front_web_server_selects_the_application(server, script, path, expected):
    head, body = over_uwsgi(server.uwsgi_path, PATH_INFO=path, **({} if script is None else {"SCRIPT_NAME": script}))
    assert b" 200 " in head.splitlines()[0], head
    answer = json.loads(body)
    assert (answer["name"], answer["script"], answer["path"]) == expected


def test_without_a_root_application_other_paths_are_not_found():
    with serving("--mount", "/blog=mounts_app:blog") as server:
        answer = server.get("/other")
        assert answer.status == 404 and answer.text == "Not Found\n" and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert server.request("HEAD", "/other").status == 404
        assert server.request("POST", "/other", b"x" * 100_000).status == 404
        assert told(server, "/blog/x") == ("blog", "/blog", "/x")
        assert "application  mounts_app:blog at /blog" in server.log


def test_the_root_may_be_mounted():
    with serving("--mount", "/=mounts_app:blog") as server:
        assert told(server, "/blog/x") == ("blog", "", "/blog/x")


@pytest.mark.parametrize("module, expected", [
    ("applications = {'/x': make('x'), b'/y': make('y'), '/': make('r')}", [("/x/1", "x", "/x"), ("/y", "y", "/y"), ("/z", "r", "")]),
    ("uwsgi.applications = {'': make('r'), '/x/': make('x')}\napplication = None", [("/x", "x", "/x"), ("/", "r", "")]),
    ("applications = {'/é': make('e')}\napplication = make('unused')", [("/%C3%A9/1", "e", "/\u00c3\u00a9")]),
    ("applications = ['something else']\napplication = make('r')", [("/x", "r", "")]),
    ("applications = {'name': 'something else'}\napplication = make('r')", [("/x", "r", "")]),
])
def test_a_dict_of_applications(tmp_path, module, expected):
    (tmp_path / "table.py").write_text("import uwsgi\nfrom mounts_app import make\n" + module)
    with serving("--pp", tmp_path, app="table") as server:
        for path, name, script in expected:
            assert told(server, path)[:2] == (name, script)


# :: Mistakes


@pytest.mark.parametrize("arguments, expected", [
    (["--mount", "/x"], "--mount '/x': expected /PATH=APP"),
    (["--mount", "/x="], "--mount '/x=': expected /PATH=APP"),
    (["--mount", "x=m"], "--mount 'x=m': the path 'x' must begin with '/'"),
    (["--mount", "=m"], "--mount '=m': the path '' must begin with '/'"),
    (["--mount", "/x//y=m"], "the path '/x//y' holds an empty segment"),
    (["--mount", "//=m"], "the path '//' holds an empty segment"),
    (["--mount", "/x/../y=m"], "the path '/x/../y' holds a dot segment"),
    (["--mount", "/x%20y=m"], "the path '/x%20y' must be written decoded"),
    (["--mount", "/x?y=m"], "the path '/x?y' holds a character"),
    (["--mount", "/x=m:", "-w", "m"], "--mount /x/ 'm:': '' is not the name of a callable"),
    (["--mount", "/x=m", "--mount", "/x/=n"], "--mount '/x/=n': there is already an application at /x: m:application"),
    (["--mount", "/=m", "-w", "n"], "--mount '/=m': there is already an application at /: n:application"),
    (["--env", "NOVALUE", "m"], "--env 'NOVALUE': expected NAME=VALUE"),
    (["--env", "=x", "m"], "--env '=x': expected NAME=VALUE"),
    (["--set", "=x", "m"], "--set '=x': expected KEY=VALUE or KEY"),
    (["--need-app=perhaps", "m"], "--need-app: 'perhaps' is not known; expected true or false"),
    (["--add-header", "X-A", "m"], "--add-header 'X-A': expected \"Name: value\""),
    (["--add-header", "X A: b", "m"], "'X A' is not a header name"),
    (["--add-header", "X-A: b\r\nX-B: c", "m"], "the value holds a character that no header may have"),
    (["--add-header", "content-length: 3", "m"], "content-length is a header that only the server may set"),
    (["--add-header", "Connection: close", "m"], "Connection is a header that only the server may set"),
])
def test_mistakes_in_the_options(arguments, expected):
    assert expected in refused(*arguments, code=2)


@pytest.mark.parametrize("arguments, expected", [
    (["--mount", "/x=no_such_module"], "--mount /x no_such_module: there is no module 'no_such_module'"),
    (["--mount", "/x=no/such.wsgi"], "--mount /x no/such.wsgi: no such file"),
    (["--mount", "/x=mounts_app:nothing"], "mounts_app has no callable 'nothing'"),
    (["-w", "mounts_app", "--mount", "/x=failing"], "the application at /x could not be imported: RuntimeError: of the module"),
    (["-w", "tables:"], None),
    (["-w", "wrong_key"], "uwsgi.applications: 'x' is not a mountpoint"),
    (["-w", "wrong_value"], "wrong_value.applications: the application at '/x' is not callable, it is a int"),
    (["-w", "twice"], "twice.applications: b'/x' is there twice"),
    (["-w", "wrong_type"], "uwsgi.applications must be a dict"),
    (["-w", "both", "--mount", "/x=mounts_app"], "two applications at the mountpoint /x"),
])
def test_applications_that_cannot_be_loaded(tmp_path, arguments, expected):
    for name, text in {
        "failing": "raise RuntimeError('of the module')\n",
        "wrong_key": "import uwsgi\nuwsgi.applications = {'x': print}\n",
        "wrong_value": "applications = {'/x': 3}\n",
        "twice": "applications = {'/x': print, b'/x': print}\n",
        "wrong_type": "import uwsgi\nuwsgi.applications = [print]\n",
        "both": "applications = {'/x': print}\n",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    text = refused(*arguments, "--pp", tmp_path, "--pp", APPS_HTTP, code=2 if expected is None else 1)
    assert expected is None or expected in text
    assert "_boot.py" not in text


# :: --need-app


def test_an_application_that_is_not_needed(tmp_path):
    (tmp_path / "failing.py").write_text("raise RuntimeError('of the module')\n")
    with serving("--need-app=false", "--mount", "/bad=failing", "--pp", tmp_path, app="mounts_app") as server:
        assert "warn  wsgi: the application at /bad could not be imported: RuntimeError: of the module; its requests get 500 (--need-app=false)\n    Traceback" in server.log
        answer = server.get("/bad/x")
        assert answer.status == 500 and answer.text == "Internal Server Error\n" and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert told(server, "/good") == ("root", "", "/good")


def test_no_application_at_all():
    with serving("--need-app=false") as server:
        assert server.get("/x").status == 404
        assert "application  (none)" in server.log and "no application (--need-app=false)" in server.log


@pytest.mark.parametrize("option", ["--need-app", "--need-app=true", "--need-app=on", "--need-app=1"])
def test_an_application_is_needed(option):
    assert "there is no module 'no_such_module'" in refused(option, "-w", "no_such_module")


# :: --env, --set, --import, --pyargv


def test_what_the_options_leave_for_python(tmp_path):
    (tmp_path / "to_import_one.py").write_text("")
    (tmp_path / "to_import_two.py").write_text("import to_import_one\nraise SystemExit(3)\n")
    (tmp_path / "to_import.wsgi").write_text("import os\nos.environ['UGREEN_TEST_BY_IMPORT'] = 'yes'\n")
    with serving(
        "--env", "UGREEN_TEST_A=é=1", "--env", "UGREEN_TEST_EMPTY=", "--env=UGREEN_TEST_A=last", "-S", "colour=red", "--set", "bare", "--set-ph", "colour=blue",
        "--set-placeholder=empty=", "--pyargv", "one  --two\tthree", "--import", "to_import_one", "--pyimport", "to_import_two", "--shared-import", tmp_path / "to_import.wsgi",
        "--import", "not_there", "--pp", tmp_path, app="mounts_app:facts", env={"UGREEN_TEST_EMPTY": "full", "UGREEN_TEST_OTHER": "kept"},
    ) as server:
        facts = server.get("/").json
        assert facts["env"] == {"UGREEN_TEST_A": "last", "UGREEN_TEST_EMPTY": "", "UGREEN_TEST_OTHER": "kept", "UGREEN_TEST_BY_IMPORT": "yes"}
        assert facts["getenv"] == "last"
        assert facts["opt"]["colour"] == ["bytes:red", "bytes:blue"] and facts["opt"]["bare"] is True and facts["opt"]["empty"] == "bytes:"
        assert facts["opt"]["set"] == ["bytes:colour=red", "bytes:bare"] and facts["opt"]["pyargv"] == "bytes:one  --two\tthree"
        assert facts["argv"] == ["uwsgi", "one", "--two", "three"]
        assert "to_import_one" in facts["imported"] and "to_import_two" not in facts["imported"]
        assert "warn  wsgi: --import to_import_two called sys.exit(3) while it was imported; the server starts without it\n    Traceback" in server.log
        assert "warn  wsgi: --import not_there: there is no module 'not_there'" in server.log


def test_the_environment_is_there_before_python():
    with serving("--env", "PYTHONHASHSEED=0", "--env", "PYTHONOPTIMIZE=1", app="run_code") as server:
        assert server.run("import sys; return [sys.flags.optimize, sys.flags.hash_randomization]") == [1, 0]


# :: --add-header


def test_added_headers(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with serving("--add-header", "X-Frame-Options: DENY", "--add-header", "X-Two:1", "--add-header", "X-Two:\t2 ", "--static-map", f"/static={tmp_path}",
                 "-s", tmp_path / "app.sock", app="mounts_app") as server:
        with contextlib.closing(server.client()) as client:
            for path, status in (("/", 200), ("/raise", 500), ("/static/a.txt", 200), ("/", 200), ("/static/a.txt", 200)):
                client.request("GET", path)
                answer = client.getresponse()
                answer.read()
                assert answer.status == status
                assert answer.headers.get_all("X-Frame-Options") == ["DENY"] and answer.headers.get_all("X-Two") == ["1", "2"], path
        for path in ("/", "/static/a.txt"):
            head, _ = over_uwsgi(str(tmp_path / "app.sock"), PATH_INFO=path)
            assert [line for line in head.split(b"\r\n") if line.startswith(b"X-")] == [b"X-Frame-Options: DENY", b"X-Two: 1", b"X-Two: 2"]
