"""Configuration files: real servers that are started from ini, YAML and JSON, and what is said about files that are wrong."""

import json
import os
import re

import pytest
from serving import ROOT, Server
from test_cli_options import USAGE, refused, run

# Files of sites as their tutorials have them.
DJANGO = """\
# mysite_uwsgi.ini file
[uwsgi]
# Django-related settings
# the base directory (full path)
chdir           = {folder}
# Django's wsgi file
module          = mysite.wsgi
# process-related settings
# master
master          = true
# maximum number of worker processes
processes       = 10
# ... with appropriate permissions - may be needed
chmod-socket    = 664
# clear environment on exit
vacuum          = true
die-on-term = true
enable-threads = true
single-interpreter = true
harakiri-verbose = 1
plugins = python3
max-worker-lifetime = 3600
buffer-size = 32768
"""

FLASK = """\
[uwsgi]
project = flaskish
base = {folder}
chdir = %(base)/%(project)
wsgi-file = %(base)/%(project)/wsgi.py
callable = app
uid = www-data
gid = www-data
master = true
processes = 5
socket = %(base)/%(project)-%(processes).sock
chmod-socket = 660
vacuum = true
die-on-term = true
touch-reload = %p
"""

WSGI = """\
import os, sys, uwsgi


def {name}(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    opt = {{k: [x.decode() for x in v] if isinstance(v, list) else v.decode() if isinstance(v, bytes) else v for k, v in uwsgi.opt.items()}}
    import json
    return [json.dumps({{"cwd": os.getcwd(), "cores": uwsgi.cores, "opt": opt, "path": sys.path}}).encode()]
"""


def site(folder, path="site.py", name="application"):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(WSGI.format(name=name))


def serving(*options, cwd, http=None, **more):
    """A server whose options come from files, started in a folder of its own."""
    return Server(cores=None, options=options, apps=False, http=http, cwd=cwd, **more)


# :: Formats


CONTENT = {
    "ini": "[uwsgi]\r\nmodule = site_of_ini\r\nhttp = 127.0.0.1:0\r\nasync = 7\r\nugreen\r\npp = .\r\npp = lib\r\nmine = a = b\r\n",
    "yml": "uwsgi:\n  module: site_of_yml\n  http: 127.0.0.1:0\n  async: 7\n  ugreen: true\n  pp: [., lib]\n  mine: a = b\n",
    "json": json.dumps({"uwsgi": {"module": "site_of_json", "http": "127.0.0.1:0", "async": 7, "ugreen": True, "pp": [".", "lib"], "mine": "a = b"}}),
}


@pytest.mark.parametrize("format, option", [("ini", []), ("ini", ["--ini"]), ("yml", []), ("yml", ["--yaml"]), ("json", []), ("json", ["--config"])])
def test_formats(tmp_path, format, option):
    site(tmp_path, f"site_of_{format}.py")
    (tmp_path / f"my.{format}").write_bytes(b"\xef\xbb\xbf" + CONTENT[format].encode())
    with serving(*option, f"my.{format}", cwd=tmp_path) as server:
        found = server.get("/").json
        warnings = re.findall(r" warn +server: (.*)", "\n".join(server.warnings))
    assert found["cores"] == 7
    assert found["opt"]["async"] == "7" and found["opt"]["ugreen"] is True and found["opt"]["pp"] == [".", "lib"] and found["opt"]["mine"] == "a = b"
    assert len(warnings) == 1 and re.fullmatch(rf"my\.{format}:\d+: unknown option 'mine'.*; ignored", warnings[0]), warnings


def test_the_example(tmp_path):
    with serving(ROOT / "examples" / "uwsgi.ini", cwd=tmp_path, env={"PORT": "0"}) as server:
        assert server.get("/").text == "Hello from a green thread\n"
        assert server.warnings == [] and "cores        30," in server.log


# :: Files from the wild


def test_a_django_file(tmp_path):
    site(tmp_path / "project", "mysite/wsgi.py")
    (tmp_path / "project" / "mysite" / "__init__.py").touch()
    (tmp_path / "mysite_uwsgi.ini").write_text(DJANGO.format(folder=tmp_path / "project"))
    with serving("--ini", "mysite_uwsgi.ini", cwd=tmp_path, http="127.0.0.1:0") as server:
        assert server.get("/").json["cwd"] == str(tmp_path / "project")
        log = server.log
    for key in ("master", "processes", "vacuum", "die-on-term", "plugins", "max-worker-lifetime"):
        told = re.search(rf"warn +server: mysite_uwsgi\.ini:\d+: option '{key}' is one of uWSGI's that this server does not have yet; ignored", log)
        assert told or f"--{key}" in run("--help").out, (key, log)
    assert "unknown option" not in log


def test_a_flask_file(tmp_path):
    site(tmp_path, "flaskish/wsgi.py", "app")
    (tmp_path / "flask.ini").write_text(FLASK.format(folder=tmp_path).replace("uid = www-data\ngid = www-data\n", ""))
    with serving(tmp_path / "flask.ini", cwd="/", http="127.0.0.1:0") as server:
        found = server.get("/").json
        assert (tmp_path / "flaskish-5.sock").is_socket()
        assert "unknown option" not in server.log
    assert found["cwd"] == str(tmp_path / "flaskish")
    assert found["opt"]["project"] == "flaskish" and found["opt"]["master"] is True


# :: What counts


def test_the_command_line_is_stronger(tmp_path):
    site(tmp_path)
    site(tmp_path, "other.py")
    (tmp_path / "a.ini").write_text("[uwsgi]\nmodule = nowhere\nhttp = 127.0.0.1:1\nhttp = 127.0.0.1:2\nasync = 7\npp = one\nwho = file\nlog-level = error\n")
    with serving("a.ini", "other.py", "--pp", "two", "--log-level", "info", cwd=tmp_path, http="127.0.0.1:0", env={"UWSGI_ASYNC": "9", "UWSGI_PP": "zero", "UWSGI_HTTP": "127.0.0.1:3"}) as server:
        found = server.get("/").json
        assert len(re.findall("listening on", server.log)) == 1
    assert found["cores"] == 7
    assert found["opt"]["http"] == "127.0.0.1:0" and found["opt"]["pp"] == ["zero", "one", "two"]


def test_the_environment_alone(tmp_path):
    site(tmp_path)
    with serving(cwd=tmp_path, env={"UWSGI_WSGI_FILE": "site.py", "UWSGI_HTTP": "127.0.0.1:0", "UWSGI_ASYNC": "4", "UWSGI_VERSION": "2.0.21"}) as server:
        assert server.get("/").json["cores"] == 4
        assert server.warnings == []


# :: Mistakes


def test_strict(tmp_path):
    site(tmp_path)
    (tmp_path / "a.ini").write_text("[uwsgi]\nwsgi-file = %(name).py\nname = site\nasinc = 4\nspooler-frequency = 2\n")
    text = refused("a.ini", "--strict", cwd=tmp_path, code=USAGE)
    assert text.splitlines() == [
        "ugreen-py: a.ini:4: unknown option 'asinc'; did you mean 'async'? (strict)",
        "ugreen-py: a.ini:5: option 'spooler-frequency' is one of uWSGI's that this server does not have yet (strict)",
    ]
    with serving("a.ini", cwd=tmp_path, http="127.0.0.1:0") as server:
        server.wait_log(r"warn +server: a\.ini:4: unknown option 'asinc'; did you mean 'async'\?; ignored")
        assert server.get("/").status == 200 and "'name'" not in server.log


@pytest.mark.parametrize("name, content, expected", [
    ("a.ini", None, "configuration file: 'a.ini' does not exist"),
    ("a.ini", "[other]\nx = 1\n", "a.ini: no section [uwsgi]; the file has [other]"),
    ("a.ini", "[uwsgi]\nmodule = m\nasync = 4 # cores\n", "a.ini:3: --async: '4 # cores' is not a whole number; a comment needs a line of its own"),
    ("a.ini", "[uwsgi]\nif-env = X\n", "a.ini:2: 'if-env': conditions and loops are not supported in configuration files"),
    ("a.ini", "[uwsgi]\ninclude = a.ini\n", "a.ini:2: include: files include each other in a circle: a.ini → a.ini"),
    ("a.yml", "uwsgi:\n  http: {a: b}\n", "a.yml:2: key 'http': a value or a list of values is expected, not a mapping"),
    ("a.yml", "uwsgi:\n  http: 'open\n", "a.yml:"),
    ("a.json", '{"uwsgi": {"http": {}}}', "a.json:1: key 'http': a value or a list of values is expected, not an object"),
    ("a.json", '{"uwsgi": ', "a.json:1: not valid JSON: "),
])
def test_mistakes(tmp_path, name, content, expected):
    if content is not None:
        (tmp_path / name).write_text(content)
    text = refused(name, cwd=tmp_path, code=USAGE)
    assert text.startswith(f"ugreen-py: {expected}") and len(text.splitlines()) == 1, text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "a.ini").touch(mode=0)
    assert "'a.ini' may not be read (permission denied)" in refused("a.ini", cwd=tmp_path, code=USAGE)


def test_a_warning_is_not_lost_when_the_start_is_refused(tmp_path):
    (tmp_path / "a.ini").write_text("[uwsgi]\nmodul = m\n")
    lines = refused("a.ini", cwd=tmp_path, code=USAGE).splitlines()
    assert lines[0] == "ugreen-py: warning: a.ini:2: unknown option 'modul'; did you mean 'module'?; ignored" and lines[1].startswith("ugreen-py: no application")


# :: --show-config


def test_show_config(tmp_path):
    site(tmp_path)
    (tmp_path / "a.ini").write_text("[uwsgi]\nname = site\nwsgi-file = %(name).py\nasync = 7\nshow-config = true\n")
    # The variable of a run with UGREEN_TEST_BLOCKING=off would be shown, too.
    with serving("a.ini", "--pp", "50%", cwd=tmp_path, http="127.0.0.1:0", env={"UWSGI_UGREEN_BLOCKING": None}) as server:
        log = server.log
    shown = log[log.index("[uwsgi]"):log.index("ugreen-py 0.")]
    assert shown == (
        "[uwsgi]\n; a.ini:3\nwsgi-file = site.py\n; a.ini:4\nasync = 7\n; command line\nhttp = 127.0.0.1:0\npp = 50%%\n; a.ini:2, no option of this server\n; name = site\n"
    )
    (tmp_path / "b.ini").write_text(shown)
    with serving("b.ini", cwd=tmp_path) as server:
        assert server.get("/").json["cores"] == 7 and server.warnings == []
