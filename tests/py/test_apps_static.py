"""Static files: which paths are files, what HTTP says about them, and which paths must never be files."""

import contextlib
import fcntl
import os
import socket
import subprocess

import pytest

from apps_http.wire import APPS_HTTP, Wire
from serving import PATIENCE, Server, background, many, read_all
from test_apps_mounts import over_uwsgi
from test_cli_options import refused

BIG = bytes(range(256)) * 4096 * 3        # 3 MiB


def serving(*options, app=None, **more):
    return Server(app, cores=more.pop("cores", 2), options=[*options, "--pp", APPS_HTTP], **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, content in {
        "secret.txt": "TOPSECRET", "static-secret/x.txt": "TOPSECRET",
        "static/a.css": "body {}", "static/sub/b.txt": "hello", "static/noext": "?", "static/a b+é.txt": "name", "static/empty.txt": "", "static/x.weird": "w",
        "static/.hidden": "TOPSECRET", "static/.git/config": "TOPSECRET", "static/docs/index.html": "<p>docs", "static/docs/home.htm": "home", "static/bare/x": "x",
        "second/only.txt": "second", "second/a.css": "hidden by the first", "robots/.robots.txt": "no robots", "root/index.html": "<p>root", "root/page.html": "<p>page",
        "root/data..2/real.txt": "mapped",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "static" / "big.bin").write_bytes(BIG)
    (folder / "static" / "unreadable.txt").write_text("TOPSECRET")
    (folder / "static" / "leak.txt").symlink_to(folder / "secret.txt")
    (folder / "static" / "relative-leak.txt").symlink_to("../secret.txt")
    (folder / "static" / "leak").symlink_to(folder / "static-secret")       # a sibling whose name begins like the directory's
    (folder / "static" / "leak-twice.txt").symlink_to("leak.txt")
    (folder / "static" / "linked.txt").symlink_to("sub/b.txt")
    (folder / "static" / "linked").symlink_to("sub")
    (folder / "static" / "loop").symlink_to("loop")
    (folder / "static" / "dangling").symlink_to("nothing")
    (folder / "linked-root").symlink_to("static")
    # As a Kubernetes volume is laid out.
    (folder / "root" / "..data").symlink_to("data..2")
    (folder / "root" / "real.txt").symlink_to("..data/real.txt")
    os.mkfifo(folder / "static" / "pipe")
    (folder / "static" / "linked-pipe").symlink_to("pipe")
    (folder / "static" / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(folder / "static" / "socket"))
    return folder


@pytest.fixture(scope="module")
def server(site):
    with serving(
        "--static-map", f"/static={site}/static", "--static-map", f"/static/={site}/second", "--static-map", f"/robots.txt={site}/robots/.robots.txt",
        "--static-map", f"/é x={site}/static/sub", "--static-map", "/linked=linked-root", "--check-static", "root", "--static-index", "home.htm", "--static-index", "index.html",
        "--chdir", site, "-s", site / "app.sock", app="mounts_app",
    ) as s:
        yield s


def is_application(answer):
    return answer.status == 200 and answer.headers["Content-Type"] == "application/json" and answer.json["name"] == "root"


# :: Which paths are files


@pytest.mark.parametrize("path, kind, text", [
    ("/static/a.css", "text/css", "body {}"),
    ("/static/a.css?v=1", "text/css", "body {}"),
    ("/static/%61.css", "text/css", "body {}"),
    ("/%73tatic/a.css", "text/css", "body {}"),
    ("/static/sub/b.txt", "text/plain", "hello"),
    ("/static/sub%2Fb.txt", "text/plain", "hello"),
    ("/static/noext", "application/octet-stream", "?"),
    ("/static/x.weird", "application/octet-stream", "w"),
    ("/static/a%20b+%C3%A9.txt", "text/plain", "name"),
    ("/static/empty.txt", "text/plain", ""),
    ("/static/only.txt", "text/plain", "second"),
    ("/static/linked.txt", "text/plain", "hello"),
    ("/static/linked/b.txt", "text/plain", "hello"),
    ("/static/docs/", "text/html", "home"),
    ("/%C3%A9%20x/b.txt", "text/plain", "hello"),
    ("/linked/a.css", "text/css", "body {}"),
    ("/robots.txt", "text/plain", "no robots"),
    ("/page.html", "text/html", "<p>page"),
    ("/real.txt", "text/plain", "mapped"),
    ("/", "text/html", "<p>root"),
])
def test_files(server, path, kind, text):
    answer = server.get(path)
    assert (answer.status, answer.text) == (200, text)
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Length"] == str(len(text.encode())) and answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"') and answer.headers["Last-Modified"].endswith(" GMT")


def test_an_absolute_target(server):
    with Wire(server) as wire:
        answer = wire.ask("http://test/static/a.css")
        assert (answer.status, answer.body) == (200, b"body {}")


@pytest.mark.parametrize("path", [
    "/static", "/static/", "/staticx/a.css", "/Static/a.css", "/static/A.css", "/static/missing.css", "/static/sub", "/static/sub/", "/static/bare", "/static/a.css/",
    "/robots.txt/", "/robots.txt/x", "/robots.txtx", "/static/%ff.css", "/page.html/", "/static/dangling", "/static/loop",
])
def test_paths_that_are_no_files_go_to_the_application(server, path):
    answer = server.get(path)
    assert is_application(answer), answer


@pytest.mark.parametrize("target", [
    "/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/%2E%2e%2Fsecret.txt", "/static/sub/../../secret.txt", "/static/..%2fsecret.txt", "/static/..%5csecret.txt",
    "/static/..\\secret.txt", "/static/%5c..%5csecret.txt", "/static//secret.txt", "/static/./a.css", "/static/.hidden", "/static/%2ehidden", "/static/.git/config",
    "/static/leak.txt", "/static/relative-leak.txt", "/static/leak/x.txt", "/static/leak-twice.txt", "/..%2fsecret.txt", "/../secret.txt", "/%2e%2e/secret.txt",
    "//etc/passwd", "/static//etc/passwd", "/static/%2fetc/passwd", "/%2fetc%2fpasswd", "/static/..;/secret.txt", "/static/%c0%ae%c0%ae/secret.txt",
    "/static/%252e%252e/secret.txt", "/..data/real.txt", "/static/a.css%0a", "/robots.txt/../a.css",
    "/static-secret/x.txt", "/linked/leak.txt", "/%C3%A9%20x/../a.css",
])
def test_nothing_outside_and_nothing_hidden_is_served(server, target):
    raw = server.raw(f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert b"TOPSECRET" not in raw and b"root:x:" not in raw
    assert raw.startswith(b"HTTP/1.1 400 ") or b'"name": "root"' in raw, raw


@pytest.mark.parametrize("target", ["/static/a.css%00", "/static/%00a.css", "/static/a.css%00.txt"])
def test_a_nul_in_a_path(server, target):
    raw = server.raw(f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 400 "), raw


def test_a_file_that_may_not_be_read(server, site):
    path = site / "static" / "unreadable.txt"
    path.chmod(0)
    start = len(server.log)
    answer = server.get("/static/unreadable.txt")
    if os.geteuid() == 0:
        assert answer.text == "TOPSECRET"      # nothing is unreadable for root
        return
    assert (answer.status, answer.text) == (403, "Forbidden\n")
    server.wait_log(r"warn  static: GET /static/unreadable.txt: the file /unreadable.txt cannot be read: ", start=start)


def test_a_file_that_somebody_has_locked(server, site):
    with open(site / "static" / "a.css", "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert server.get("/static/a.css").text == "body {}"


def test_a_named_pipe_is_never_opened(server):
    """Nor a socket, nor a device: none is a file, whose bytes could be sent, and opening one may wait for ever."""
    for name in ("pipe", "linked-pipe", "socket", "null"):
        assert is_application(server.get(f"/static/{name}", timeout=PATIENCE)), name


@pytest.mark.parametrize("target, location", [
    ("/static/docs", "./docs/"), ("/static/docs?a=b&c", "./docs/?a=b&c"), ("/static/%64ocs", "./docs/"),
])
def test_a_directory_with_an_index_is_asked_for_with_a_slash(server, target, location):
    answer = server.get(target)
    assert (answer.status, answer.headers["Location"]) == (301, location)


# :: Methods, conditions, ranges


@pytest.mark.parametrize("path", ["/static/a.css", "/page.html"])
def test_head(server, path):
    whole, head = server.get(path), server.request("HEAD", path)
    assert head.status == 200 and head.body == b""
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges"):
        assert head.headers[name] == whole.headers[name], name


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods(server, method):
    answer = server.request(method, "/static/a.css", b"x")
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"
    assert is_application(server.request(method, "/static/missing.css", b"x"))
    assert is_application(server.request(method, "/page.html", b"x"))


def test_conditions(server):
    first = server.get("/static/a.css")
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", {tag}'}, {"If-None-Match": f"W/{tag}"}, {"If-None-Match": f'W/"x W/y", W/{tag}'}, {"If-None-Match": "*"}, {"If-Modified-Since": modified}):
        answer = server.get("/static/a.css", headers)
        assert (answer.status, answer.body) == (304, b"") and answer.headers["ETag"] == tag, headers
        assert answer.headers["Content-Length"] is None
    for headers in ({"If-None-Match": '"other"'}, {"If-None-Match": 'W/"other"'}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"If-Match": tag}, {"If-Unmodified-Since": modified}):
        assert server.get("/static/a.css", headers).text == "body {}", headers
    for headers in ({"If-Match": '"other"'}, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        assert server.get("/static/a.css", headers).status == 412, headers


def test_a_file_that_changes_has_another_tag(server, site):
    path = site / "static" / "changing.txt"
    path.write_text("one")
    first = server.get("/static/changing.txt")
    path.write_text("longer")
    second = server.get("/static/changing.txt", {"If-None-Match": first.headers["ETag"]})
    assert (second.status, second.text) == (200, "longer") and second.headers["ETag"] != first.headers["ETag"]
    path.unlink()
    assert is_application(server.get("/static/changing.txt"))


@pytest.mark.parametrize("spec, status, expected, content_range", [
    ("0-9", 206, (0, 10), f"bytes 0-9/{len(BIG)}"),
    ("255-", 206, (255, None), f"bytes 255-{len(BIG) - 1}/{len(BIG)}"),
    ("-7", 206, (-7, None), f"bytes {len(BIG) - 7}-{len(BIG) - 1}/{len(BIG)}"),
    ("1000000-2000000", 206, (1000000, 2000001), f"bytes 1000000-2000000/{len(BIG)}"),
    (f"{len(BIG)}-", 416, (0, 0), f"bytes */{len(BIG)}"),
])
def test_ranges_with_curl(server, tmp_path, spec, status, expected, content_range):
    done = subprocess.run(
        ["curl", "-sS", "-o", tmp_path / "body", "-D", tmp_path / "head", "-w", "%{http_code}", "-r", spec, f"{server.url}/static/big.bin"],
        stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    assert int(done.stdout) == status
    assert (tmp_path / "body").read_bytes() == BIG[slice(*expected)]
    assert f"content-range: {content_range}" in (tmp_path / "head").read_text().lower()


def test_a_download_that_broke_off_is_resumed(server):
    tag = server.request("HEAD", "/static/big.bin").headers["ETag"]
    assert server.get("/static/big.bin", {"Range": "bytes=100-", "If-Range": tag}).body == BIG[100:]
    assert server.get("/static/big.bin", {"Range": "bytes=100-", "If-Range": '"other"'}).body == BIG


@pytest.mark.parametrize("value", ["bytes=0-1,5-6", "bytes=x", "lines=0-1", "bytes=5-2"])
def test_ranges_that_are_not_understood_are_ignored(server, value):
    answer = server.get("/static/a.css", {"Range": value})
    assert (answer.status, answer.text) == (200, "body {}")


# :: Beside the application


def test_keep_alive_and_many_clients(server):
    def client(i):
        with contextlib.closing(server.client()) as connection:
            for path, length in (("/static/a.css", 7), ("/static/big.bin", len(BIG)), ("/app", None), ("/static/missing", None), ("/static/a.css", 7)):
                connection.request("GET", path)
                body = connection.getresponse().read()
                assert length is None or len(body) == length, path
        return True

    assert all(many(20, client))


def test_files_are_served_while_all_cores_are_busy(site, control):
    # :: One core, and it is parked; the queue behind it holds nobody.
    with serving("--static-map", f"/static={site}/static", "--async-queue", "0", app="run_code", cores=1, env=control.env) as server:
        with background(server.run, "import checkpoint; return checkpoint.reach('here')") as running:
            here = control.wait("here")
            assert server.get("/static/a.css").text == "body {}"
            assert server.get("/static/missing").status == 503
            here.release("on")
            assert running.result(PATIENCE) == "on"


def test_a_slow_client_gets_all_of_it(server):
    with server.connect(receive_buffer=4096) as s:
        s.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        assert server.get("/static/a.css").text == "body {}"
        assert read_all(s).partition(b"\r\n\r\n")[2] == BIG


def test_the_request_log(server):
    start = len(server.log)
    server.get("/static/a.css?x")
    server.wait_log(r'request: GET "/static/a.css\?x" 200 7 bytes [0-9.]+ ms$', start=start)


def test_without_an_application(site):
    with serving("--static-map", f"/={site}/static", "--need-app=false") as server:
        assert server.get("/a.css").text == "body {}"
        answer = server.get("/missing")
        assert (answer.status, answer.text) == (404, "Not Found\n")


def test_without_static_files_the_same_paths_are_the_applications(site):
    with serving("--chdir", site, app="mounts_app") as server:
        assert is_application(server.get("/static/a.css"))


# :: The uwsgi protocol


def test_over_the_uwsgi_protocol(server, site):
    def ask(path, **variables):
        return over_uwsgi(str(site / "app.sock"), PATH_INFO=path, **variables)

    head, body = ask("/static/a.css", REQUEST_URI="/static/a.css?x")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and body == b"body {}" and b"Content-Length: 7" in head and b"Content-Type: text/css" in head
    tag = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"etag: "))[6:].decode()
    head, body = ask("/static/a.css", HTTP_IF_NONE_MATCH=tag)
    assert head.startswith(b"HTTP/1.1 304 ") and body == b""
    head, body = ask("/static/big.bin", HTTP_RANGE="bytes=5-2000000")
    assert head.startswith(b"HTTP/1.1 206 ") and body == BIG[5:2000001]
    head, body = ask("/static/a b+é.txt")
    assert body == b"name"
    head, body = ask("/static/a.css", REQUEST_METHOD="HEAD")
    assert head.startswith(b"HTTP/1.1 200 ") and b"Content-Length: 7" in head and body == b""
    head, body = ask("/static/a.css", REQUEST_METHOD="POST")
    assert head.startswith(b"HTTP/1.1 405 ")
    head, _ = ask("/static/docs", SCRIPT_NAME="/prefix", REQUEST_URI="/prefix/static/docs?q")
    assert b"Location: ./docs/?q" in head
    for path in ("/static/../secret.txt", "/static/leak.txt", "/static/.hidden", "/static/..\\secret.txt"):
        head, body = ask(path)
        assert b'"name": "root"' in body, path


# :: Mistakes


@pytest.mark.parametrize("arguments, expected", [
    (["--static-map", "/x"], "--static-map '/x': expected /PATH=DIR_OR_FILE"),
    (["--static-map", "x=/etc"], "--static-map 'x=/etc': the path 'x' must begin with '/'"),
    (["--static-map", "/x=/no/such"], "--static-map '/x=/no/such': /no/such does not exist"),
    (["--static-map", "/x=no_such", "--chdir", "/etc"], "--static-map '/x=no_such': /etc/no_such does not exist"),
    (["--check-static", "/no/such"], "--check-static '/no/such': /no/such does not exist"),
    (["--check-static", "/etc/passwd"], "--check-static '/etc/passwd': not a directory"),
    (["--static-index", "a/b", "--check-static", "/etc"], "--static-index 'a/b': expected the name of a file"),
    (["--static-index", "index.html"], "--static-index means nothing without --static-map or --check-static"),
])
def test_mistakes_in_the_options(arguments, expected):
    assert expected in refused("-w", "app", *arguments, code=2)
