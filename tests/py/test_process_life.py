"""The process as the operating system sees it: pidfile, user, umask, background, name."""

import contextlib
import http.client
import os
import pathlib
import pwd
import re
import signal
import socket
import stat
import subprocess
import tempfile

import pytest
from serving import PATIENCE, ROOT, Server, command, free_port, until

pytestmark = pytest.mark.waiting

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user of a process")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def folder():
    """A folder that every user may write to."""
    with tempfile.TemporaryDirectory(prefix="ugreen-life-") as name:
        os.chmod(name, 0o777)
        yield pathlib.Path(name)


def refused(*options, code=1, app="run_code"):
    """Starts a server that cannot start; returns what it says."""
    with Server(app, options=options, ready=False) as server:
        assert server.wait_exit() == code, server.log
        return server.log


def status_of(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


# :: Pidfile


def test_the_pidfile_holds_the_pid_and_stays(folder):
    file = folder / "pid"
    with Server("run_code", options=["--pidfile", file]) as server:
        assert file.read_text() == f"{server.pid}\n"
    assert file.read_text() == f"{server.pid}\n"


def test_vacuum_removes_the_pidfile(folder):
    file = folder / "pid"
    file.write_text("4194999\n")  # stale: above the largest pid
    with Server("run_code", options=["--pidfile", file, "--vacuum"]) as server:
        assert file.read_text() == f"{server.pid}\n"
        assert "--pidfile" not in server.log
    assert not file.exists()


def test_vacuum_leaves_the_pidfile_of_another(folder):
    file = folder / "pid"
    with Server("run_code", options=["--pidfile", file, "--vacuum"]):
        file.write_text(f"{os.getpid()}\n")
    assert file.read_text() == f"{os.getpid()}\n"


def test_a_pidfile_of_a_live_process_is_overwritten_with_a_warning(folder):
    file = folder / "pid"
    file.write_text(f"{os.getpid()}\n")
    with Server("run_code", options=["--pidfile", file]) as server:
        assert re.search(rf"warn .*--pidfile {file} held {os.getpid()}, a process that still runs", server.log)
        assert file.read_text() == f"{server.pid}\n"


def test_the_pidfile_is_there_before_the_application(folder):
    file = folder / "pid"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Server("run_code", options=["--pidfile", file], http="127.0.0.1:%d" % taken.getsockname()[1], ready=False) as server:
            assert server.wait_exit() == 1
    assert not file.exists(), "written although an address is in use"


def test_a_pidfile_that_cannot_be_written(folder):
    (folder / "file").touch()
    assert refused("--pidfile", folder, code=2) == f"ugreen-py: --pidfile '{folder}': it is a directory\n"
    assert "the directory /no/such does not exist" in refused("--pidfile", "/no/such/pid", code=2)
    log = refused("--pidfile", "/proc/self/pid")
    assert log.splitlines()[-1].startswith("ugreen-py: --pidfile '/proc/self/pid' cannot be written: "), log


# :: User


@root_only
def test_uid_is_dropped_for_every_thread_and_for_ever(folder):
    with Server("run_code", options=["--uid", "nobody", "--pidfile", folder / "pid", "--vacuum"]) as server:
        for thread in os.listdir(f"/proc/{server.pid}/task"):
            with contextlib.suppress(FileNotFoundError):  # it has ended
                status = status_of(f"{server.pid}/task/{thread}")
                assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4, thread
                assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4, thread
                assert set(status["Groups"].split()) <= {str(NOBODY.pw_gid)} and int(status["CapEff"], 16) == 0, thread
        assert server.run("""
            seen = [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()]
            try:
                os.setuid(0)
            except PermissionError:
                seen.append("refused")
            return seen
        """) == [NOBODY.pw_uid, NOBODY.pw_uid, NOBODY.pw_gid, [NOBODY.pw_gid], "refused"]
        assert (folder / "pid").stat().st_uid == NOBODY.pw_uid
        assert "running as root" not in server.log
    assert not (folder / "pid").exists()


@root_only
def test_a_module_is_imported_as_the_user(folder):
    (folder / "who.py").write_text("import os\nwho = f'{os.getuid()} {os.getgid()}'\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    return [who.encode()]\n")
    with Server("who", options=["--pythonpath", folder, "--uid", "nobody", "--gid", "www-data"]) as server:
        import grp

        assert server.get("/").text == f"{NOBODY.pw_uid} {grp.getgrnam('www-data').gr_gid}"


@root_only
@pytest.mark.parametrize("option, value, more", [
    ("--touch-reload", "{}/file", ["--master"]),
    ("--chdir", "{}", []),
    ("--chdir", "{}", ["--master"]),
    ("--virtualenv", "{}", []),
    ("--pythonpath", "{}", []),
    ("--static-map", "/s={}", []),
    ("--static-map", "/s={}/file", ["--master"]),
    ("--check-static", "{}", []),
    ("--wsgi-file", "{}/file", []),
])
def test_what_the_user_cannot_reach_is_told_with_its_option(folder, option, value, more):
    closed = folder / "closed"
    inner = closed / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    closed.chmod(0o700)
    log = refused("--uid", "nobody", option, value.format(inner), *more, app=None if option == "--wsgi-file" else "run_code")
    named = "the application" if option == "--wsgi-file" else option
    assert re.search(rf"^ugreen-py: {named} '{re.escape(str(inner))}(/file)?': user nobody, who runs the server \(--uid\), may not enter {re.escape(str(closed))}$", log, re.MULTILINE), log
    assert "internal error" not in log and "listening on" not in log


@root_only
def test_a_touched_file_that_is_closed_later_is_told_once(folder):
    file = folder / "door" / "file"
    file.parent.mkdir()
    file.touch()
    with Server("run_code", options=["--uid", "nobody", "--master", "-p", "1", "--touch-reload", file]) as server:
        file.parent.chmod(0o700)
        server.wait_log(rf"warn  master: --touch-reload '{file}' cannot be looked at any more: permission denied; until it can be, a touch of it changes nothing")
        file.parent.chmod(0o755)
        os.utime(file, (1, 1))
        server.wait_log(rf"reload \({file} was touched\)")
        assert server.log.count("cannot be looked at") == 1


def test_memory_for_too_many_cores_is_told():
    with Server("run_code", cores=30000, options=["--master", "-p", "200"], ready=False) as server:
        assert server.wait_exit() == 1
        assert re.search(r"^ugreen-py: --processes 200 with --async 30000: to show what each core does takes 3680 MB of memory, and there are at most 2047$", server.log, re.MULTILINE), server.log


@pytest.mark.parametrize("value", ["3", "x:1", "0:1", "77:78", "-1:-2", "1:2:3", "99999999999:1", ""])
def test_only_a_master_can_give_an_order(value):
    with Server("run_code", env={"UGREEN_WORKER": value}, ready=False) as server:
        assert server.wait_exit() == 1
        assert re.fullmatch(rf"ugreen-py: UGREEN_WORKER={re.escape(value)}: [^\n]*; the variable is for workers, which a master starts\n", server.log), server.log


@root_only
def test_a_number_without_an_account_needs_a_group():
    assert "--uid 54321: no user has that number, so its group is not known; give --gid, too" in refused("--uid", "54321", code=2)
    with Server("run_code", options=["--uid", "54321", "--gid", "54322"]) as server:
        assert server.run("return [os.getuid(), os.getgid(), os.getgroups()]") == [54321, 54322, [54322]]


@root_only
def test_a_port_below_1024_is_bound_before():
    port = next((p for p in range(700, 1000) if bindable(p)), None)
    assert port, "no privileged port is free"
    with Server("run_code", options=["--uid", "nobody"], http=f"127.0.0.1:{port}") as server:
        assert server.run("return os.getuid()") == NOBODY.pw_uid


def bindable(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


@root_only
def test_a_log_file_can_be_opened_again_as_the_user(folder):
    log, requests = folder / "log", folder / "requests"
    port = free_port()
    server = Server("run_code", options=["--uid", "nobody", "--logto", log, "--req-logger", f"file:{requests}"], http=f"127.0.0.1:{port}", ready=False)
    with server:
        until(lambda: log.exists() and "listening on" in log.read_text(), "the server listens")
        server.host, server.port = "127.0.0.1", port
        assert log.stat().st_uid == requests.stat().st_uid == NOBODY.pw_uid
        log.rename(folder / "log.1")
        requests.rename(folder / "requests.1")
        server.send_signal(signal.SIGUSR1)
        until(lambda: log.exists() and requests.exists(), "the files are there again")
        assert server.get("/").status == 500  # run_code wants a body; its traceback is in the log
        until(lambda: "Traceback" in log.read_text() and 'GET "/" 500' in requests.read_text(), "lines in the new files")
        assert log.stat().st_uid == NOBODY.pw_uid


@root_only
def test_a_user_or_group_that_is_not_there():
    log = refused("--uid", "no-such-user", "--gid", "no-such-group", "--chown-socket", "a:b", code=2)
    assert log.splitlines() == [
        "ugreen-py: --uid: there is no user 'no-such-user'", "ugreen-py: --gid: there is no group 'no-such-group'",
        "ugreen-py: --chown-socket: there is no user 'a'", "ugreen-py: --chown-socket: there is no group 'b'"]


@root_only
def test_who_is_not_root_cannot_become_another():
    def as_nobody():
        os.setgroups([])
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)

    done = subprocess.run([ROOT / "artifacts/server/ugreen-py", "-w", "run_code", "--uid", "www-data"], env={**os.environ, "DOTNET_ROOT": dotnet_root()}, cwd="/", preexec_fn=as_nobody,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (2, f"ugreen-py: --uid www-data: only root may change the user or group of a process, and the server was started by user {NOBODY.pw_uid}\n")


def dotnet_root():
    return os.environ.get("DOTNET_ROOT") or (ROOT / "artifacts/launcher/dotnet-root").read_text().strip()


@root_only
def test_root_is_warned():
    with Server("run_code") as server:
        server.wait_log(r"warn  server: running as root; --uid USER becomes another user once the sockets are open")
    port = free_port()
    with Server("run_code", options=["--log-level", "critical"], http=f"127.0.0.1:{port}", ready=False) as quiet:
        quiet.host, quiet.port = "127.0.0.1", port
        until(lambda: answers(quiet), "it answers")
        assert "running as root" not in quiet.log


def answers(server):
    with contextlib.suppress(ConnectionRefusedError):
        return server.run("return 1") == 1


@root_only
def test_the_owner_of_unix_sockets(folder):
    import grp

    path = folder / "app.sock"
    with Server("run_code", options=["--http", path, "--http", "@ugreen-owner-%d" % os.getpid(), "--chmod-socket=660", "--chown-socket", "nobody:www-data"]):
        found = path.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY.pw_uid, grp.getgrnam("www-data").gr_gid, 0o660)
    assert not path.exists()


def test_umask(folder):
    with Server("run_code", options=["--umask", "027", "--http", folder / "app.sock"]) as server:
        assert stat.S_IMODE((folder / "app.sock").stat().st_mode) == 0o750
        assert server.run("before = os.umask(0)\nos.umask(before)\nreturn before") == 0o027
    assert refused("--umask", "8", code=2) == "ugreen-py: --umask: '8' is not an octal number from 0 to 777\n"


# :: Background


def daemonize(*options, timeout=PATIENCE):
    return subprocess.run([*command(), *map(str, options)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def in_background(log, *options):
    port = free_port()
    done = daemonize("--pythonpath", ROOT / "tests/py/apps", "--http", f"127.0.0.1:{port}", "-d", log, *options)
    assert done.returncode == 0, (done.stdout, done.stderr)
    found = re.fullmatch(rf"ugreen-py: serving in the background, pid (\d+), output in {log}\n", done.stdout)
    assert found and done.stderr == "", (done.stdout, done.stderr)
    pid = int(found[1])
    try:
        yield pid, port
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), "the server in the background ends")


def test_in_the_background(folder):
    log, file = folder / "log", folder / "pid"
    with in_background(log, "-w", "run_code", "--pidfile", file) as (pid, port):
        assert file.read_text() == f"{pid}\n"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
            client.request("POST", "/", '{"code": "print(\'printed\', flush=True)\\nreturn [os.getsid(0), os.getpid(), os.environ.get(\'UGREEN_DAEMON\'), sorted(os.listdir(\'/proc/self/fd\'), key=int)[:1]]", "values": {}}')
            assert client.getresponse().read().startswith(b'{"result": [%d, %d, null, ["0"]]' % (pid, pid))
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
        assert os.readlink(f"/proc/{pid}/fd/1") == os.readlink(f"/proc/{pid}/fd/2") == str(log)
        until(lambda: "printed\n" in log.read_text() and f"listening on http://127.0.0.1:{port}" in log.read_text(), "output in the file")
        log.rename(folder / "log.1")
        os.kill(pid, signal.SIGUSR1)
        until(log.exists, "the log is opened again")
    assert log.read_text().endswith("server: stopped\n")


def test_a_background_that_fails_says_why_and_ends_with_its_code(folder):
    (folder / "broken.py").write_text("raise RuntimeError('at import')\n")
    done = daemonize("-w", "broken", "--pythonpath", folder, "--http", "127.0.0.1:0", "-d", folder / "log")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback (most recent call last)" in done.stderr and "RuntimeError: at import" in done.stderr and done.stderr.splitlines()[-1]== "ugreen-py: the application could not be imported: RuntimeError: at import", done.stderr
    assert (folder / "log").read_text() == done.stderr


def test_a_background_that_dies_is_told(folder):
    (folder / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    done = daemonize("-w", "dies", "--pythonpath", folder, "--http", "127.0.0.1:0", "-d", folder / "log")
    assert (done.returncode, done.stderr) == (137, f"ugreen-py: the server killed by SIGKILL before it served; see {folder}/log\n".replace("server killed", "server was killed"))


def test_a_wrong_command_line_is_told_before_anything_is_started(folder):
    done = daemonize("-w", "broken", "--async", "x", "-d", folder / "log")
    assert (done.returncode, done.stderr) == (2, "ugreen-py: --async: 'x' is not a whole number\n")
    assert not (folder / "log").exists()


def test_a_background_whose_log_cannot_be_written():
    done = daemonize("-w", "run_code", "-d", "/proc/self/log")
    assert done.returncode == 1 and done.stderr.startswith("ugreen-py: --daemonize '/proc/self/log': open: "), done.stderr


# :: Names


def shown(pid):
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, timeout=PATIENCE).stdout.rstrip("\n")


@pytest.mark.parametrize("options, name", [
    (["--procname", "my site"], "my site"),
    (["--auto-procname"], "ugreen-py"),
    (["--procname-prefix", "site-"], "site-ugreen-py"),
    (["--procname-prefix-spaced", "site", "--procname", "web"], "site web"),
])
def test_names(options, name):
    with Server("run_code", options=options) as server:
        assert shown(server.pid).rstrip() == name
        # The environment behind the arguments is whole.
        assert server.run("return os.environ['PATH']") == os.environ["PATH"]


def test_a_name_that_is_too_long_is_cut():
    long = "x" * 10000
    with Server("run_code", options=["--set", "filler=1"], env={"UWSGI_PROCNAME": long}) as server:
        cut = shown(server.pid).rstrip()
        assert 20 < len(cut) < 1000 and set(cut) == {"x"}
        assert f"UWSGI_PROCNAME={long}" in pathlib.Path(f"/proc/{server.pid}/environ").read_text()


def test_options_of_uwsgi_that_change_nothing():
    options = ["--die-on-term", "--lazy-apps", "--lazy", "--single-interpreter", "--enable-threads", "--thunder-lock", "--no-orphans"]
    with Server("run_code", options=options) as server:
        assert server.run("return sorted(uwsgi.opt)[:1]")
