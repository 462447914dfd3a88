"""psycopg2's connects on green threads: ``connect_timeout`` counts, several hosts, a server that goes away and comes back."""

import contextlib
import socket
import time

import pytest

from postgres import Postgres
from serving import PATIENCE, Remote, Server, background, free_port, until

pytestmark = pytest.mark.waiting


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30, options=["--psycopg2"]) as s:
        yield s


@contextlib.contextmanager
def silent_port():
    """A port that accepts connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(10)
        yield listener.getsockname()[1]


@contextlib.contextmanager
def full_port():
    """A port where no connection is established any more: its queue is full, and the kernel drops what comes."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        # The kernel takes one more than it was asked for; a further one must not get through.
        with socket.socket() as probe, pytest.raises(TimeoutError):
            probe.settimeout(0.3)
            probe.connect(listener.getsockname())
        yield listener.getsockname()[1]


def connect(server, dsn):
    """Connects with a number of seconds that are measured inside; the other requests must not notice."""
    with background(server.run, """
        import psycopg2
        start = time.monotonic()
        shared.connecting = True
        try:
            conn = psycopg2.connect(dsn)
            answer = conn.info.port
            conn.close()
        except psycopg2.OperationalError as error:
            answer = str(error)
        return answer, time.monotonic() - start
    """, dsn=dsn) as future:
        until(lambda: server.run("return getattr(shared, 'connecting', False)"), "it connects")
        return future.result(PATIENCE)


@pytest.mark.parametrize("given, limit", [("connect_timeout=2", 2), ("connect_timeout=1", 2), ("connect_timeout=3", 3)])
def test_a_server_that_accepts_and_never_answers(server, given, limit):
    """libpq takes 1 as 2."""
    with silent_port() as port:
        text, seconds = connect(server, f"host=127.0.0.1 port={port} user=x dbname=x {given}")
    assert text == f'connection to server at "127.0.0.1", port {port} failed: timeout expired'
    assert limit <= seconds < limit + 5


def test_a_server_that_does_not_even_accept(server):
    with full_port() as port:
        text, seconds = connect(server, f"host=127.0.0.1 port={port} user=x dbname=x connect_timeout=2")
    assert text == f'connection to server at "127.0.0.1", port {port} failed: timeout expired' and 2 <= seconds < 7


def test_a_silent_unix_socket(server, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / ".s.PGSQL.5432"))
        listener.listen()
        text, _ = connect(server, f"host={tmp_path} port=5432 user=x dbname=x connect_timeout=2")
    assert text == f'connection to server on socket "{tmp_path}/.s.PGSQL.5432" failed: timeout expired'


def test_the_environment_variable_counts():
    with silent_port() as port, Server("run_code", options=["--psycopg2"], env={"PGCONNECT_TIMEOUT": "2"}) as server:
        text, seconds = connect(server, f"host=127.0.0.1 port={port} user=x dbname=x")
    assert "timeout expired" in text and 2 <= seconds < 7


def test_the_next_host_has_its_turn(server, database):
    """A host that cannot be reached is given up after the time, and the next is asked; each has the whole time."""
    with full_port() as first, full_port() as second:
        answer, seconds = connect(server, f"host=127.0.0.1,127.0.0.1,127.0.0.1 port={first},{second},{database.port} user=test dbname=postgres connect_timeout=2")
    assert answer == database.port and 4 <= seconds < 10


def test_the_last_of_several_hosts_is_the_one_that_is_told(server):
    with full_port() as first, silent_port() as second:
        text, seconds = connect(server, f"host=127.0.0.1,127.0.0.1 port={first},{second} user=x dbname=x connect_timeout=2")
    assert text == f'connection to server at "127.0.0.1", port {second} failed: timeout expired' and 4 <= seconds < 10


def test_what_is_wrong_at_once_is_told_at_once(server):
    port = free_port()
    text, seconds = connect(server, f"host=127.0.0.1 port={port} user=x dbname=x connect_timeout=20")
    assert "Connection refused" in text and seconds < 15
    text, _ = connect(server, f"host=127.0.0.1 port={port} user=x dbname=x connect_timeout=soon")
    assert text == 'invalid integer value "soon" for connection option "connect_timeout"'


def test_a_refusal_of_the_server_is_its_own(server, database):
    text, _ = connect(server, f"{database.dsn} connect_timeout=10 dbname=nowhere")
    assert 'database "nowhere" does not exist' in text


def test_a_time_limit_around_a_connect(server):
    with silent_port() as port:
        assert server.run("""
            import psycopg2, ugreen
            block = ugreen.timeout(0.2, quiet=True)
            with block:
                psycopg2.connect(dsn)
            return block.expired
        """, dsn=f"host=127.0.0.1 port={port} user=x dbname=x") is True


def test_a_server_that_is_restarted_in_mid_query(server):
    """An exception in the requests that had queries, and nowhere else; the next request connects again."""
    query = """
        import psycopg2
        conn = psycopg2.connect(dsn)
        try:
            conn.cursor().execute("select pg_sleep(64)")
        except psycopg2.OperationalError as error:
            closed = bool(conn.closed)
            try:
                conn.cursor()
            except psycopg2.InterfaceError:
                return closed
    """
    with Postgres() as own:
        with background(server.run, query, dsn=own.dsn) as first, background(server.run, query, dsn=own.socket_dsn) as second:
            with background(server.run, "import ugreen\nshared.going = ugreen.Event()\nreturn shared.going.wait(60)") as other:
                until(lambda: own.running("pg_sleep(64)") == 2, "two queries run")
                until(lambda: server.run("return hasattr(shared, 'going')"), "a third request waits for something else")
                own.restart("immediate")
                assert first.result(PATIENCE) is True and second.result(PATIENCE) is True
                server.run("shared.going.set()")
                assert other.result(PATIENCE) is True
        answer, _ = connect(server, own.dsn)
        assert answer == own.port


def test_a_server_that_vanishes_without_a_word_is_found_by_keepalives(server, database):
    """What libpq sets on its sockets holds for green connections, too: a time limit for bytes that nobody acknowledges, and probes."""
    assert server.run("""
        import psycopg2
        conn = psycopg2.connect(dsn + " keepalives_idle=7 keepalives_interval=3 keepalives_count=2 tcp_user_timeout=9000")
        with socket.socket(fileno=os.dup(conn.fileno())) as s:
            options = [s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
            options += [s.getsockopt(socket.IPPROTO_TCP, o) for o in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)]
        conn.close()
        return options
    """, dsn=database.dsn) == [1, 7, 3, 2, 9000]


def test_at_import_time_and_without_psycopg2(database, tmp_path):
    (tmp_path / "early.py").write_text("import os, psycopg2\nwith psycopg2.connect(os.environ['DSN']) as conn, conn.cursor() as c:\n    c.execute('select pg_sleep(0.05), 11')\n    VALUE = c.fetchone()[1]\n")
    with Server("run_code", options=["--psycopg2", "--pythonpath", tmp_path, "--import", "early"], env={"DSN": database.dsn}) as server:
        assert server.run("import early\nreturn early.VALUE") == 11
    (tmp_path / "psycopg2").mkdir()
    (tmp_path / "psycopg2" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'psycopg2'\", name='psycopg2')\n")
    for more in ((), ("--need-app=false",)):
        with Server("run_code", options=["--psycopg2", "--pythonpath", tmp_path, *more], ready=False) as server:
            assert server.wait_exit() == 1
        assert "--psycopg2: there is no module 'psycopg2'" in server.log and "python3-psycopg2" in server.log and "Traceback" not in server.log
        server.stop()


def test_in_a_configuration_file_and_as_a_variable(tmp_path):
    code = "import psycopg2, psycopg2.extensions as e\nreturn e.get_wait_callback() is not None, type(psycopg2._connect).__name__"
    (tmp_path / "site.ini").write_text("[uwsgi]\nmodule = run_code\npsycopg2 = true\n")
    for options, env in ((["--ini", tmp_path / "site.ini"], {}), (["-w", "run_code"], {"UWSGI_PSYCOPG2": "1"})):
        with Server(options=options, env=env) as server:
            assert server.run(code) == [True, "_Connect"]
    with Server("run_code") as server:
        assert server.run(code)[0] is False
        assert server.run("import ugreen\nugreen.patch_psycopg()\nugreen.patch_psycopg()\n" + code) == [True, "_Connect"]
        assert server.run("import psycopg2\nbefore = psycopg2._connect\nfrom ugreen.psycopg2 import patch_psycopg\npatch_psycopg()\nreturn psycopg2._connect is before") is True
