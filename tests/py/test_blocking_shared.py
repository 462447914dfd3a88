"""One connection of a database, used by several requests at once: psycopg2's and SQLite's own locks put them in a row, and the worker goes on for all others."""

import time

import pytest

from serving import Server, background, many, until

AT_ONCE = 8


@pytest.fixture(scope="module", params=[1, 30])
def server(request, database):
    with Server("run_code", cores=request.param, options=["--ugreen-spawn-max", 20], env={"DSN": database.dsn}) as s:
        yield s


@pytest.fixture
def connection(server):
    server.run("import psycopg2\nshared.connection = psycopg2.connect(os.environ['DSN'])\nshared.connection.autocommit = True")
    yield
    server.run("shared.connection.close()")


def test_psycopg2_serialises(server, connection):
    """Without a wait callback: its mutex is C's, and held while the query runs."""
    began = time.monotonic()
    code = """
        with shared.connection.cursor() as cursor:
            cursor.execute("select pg_sleep(0.1), %s", (number,))
            return cursor.fetchone()[1]
        """
    assert many(AT_ONCE, lambda i: server.run(code, number=i)) == list(range(AT_ONCE))
    assert time.monotonic() - began > 0.1 * AT_ONCE


def test_psycopg2_holds_up_nobody_else(database):
    with Server("run_code", cores=4, env={"DSN": database.dsn}) as server:
        server.run("import psycopg2\nshared.connection = psycopg2.connect(os.environ['DSN'])")
        with background(many, 2, lambda i: server.run("shared.connection.cursor().execute('select pg_sleep(1)')")) as queries:
            until(lambda: database.running("pg_sleep(1)"), "the query runs")
            until(lambda: "in pthread_mutex_lock" in server.run("import ugreen\nreturn ugreen.dump()"), "the second waits for the first")
            assert not queries.done()
            queries.result(20)


def test_psycopg2_under_a_hammer(server, connection):
    """Green threads and OS threads on one connection, also such that roll back and such whose query fails."""
    server.run("with shared.connection.cursor() as cursor: cursor.execute('create table if not exists hammered (n int)')")
    faults = server.run("""
        import ugreen, psycopg2
        faults = []
        def work(n):
            try:
                for k in range(20):
                    with shared.connection.cursor() as cursor:
                        cursor.execute("insert into hammered values (%s) returning n", (n * 100 + k,))
                        if cursor.fetchone() != (n * 100 + k,): faults.append("wrong row")
                        try:
                            cursor.execute("select 1 / 0")
                            faults.append("no error")
                        except psycopg2.errors.DivisionByZero:
                            pass
            except BaseException as error:
                faults.append(repr(error))
        greens = [ugreen.spawn(work, n) for n in range(6)]
        threads = [threading.Thread(target=work, args=(n,)) for n in range(6, 9)]
        for one in threads: one.start()
        for one in [*greens, *threads]: one.join(60)
        with shared.connection.cursor() as cursor:
            cursor.execute("select count(*), count(distinct n) from hammered")
            counts = cursor.fetchone()
            cursor.execute("drop table hammered")
        return faults, counts
        """, timeout=90)
    assert faults == [[], [180, 180]]


SQLITE = """
    import sqlite3, tempfile
    shared.folder = tempfile.TemporaryDirectory()
    shared.path = shared.folder.name + "/base"
    shared.sqlite = sqlite3.connect(shared.path, timeout=30, check_same_thread=False, isolation_level=None)
    shared.sqlite.execute("create table t (n integer primary key, who text)")
    """


@pytest.fixture
def sqlite(server):
    server.run(SQLITE)
    yield
    server.run("shared.sqlite.close()\nshared.folder.cleanup()")


def test_sqlite_waits_for_another_writer(server, sqlite):
    """Its busy wait is a sleep in the middle of SQLite, with the connection's mutex held: a recursive one, see below."""
    with background(server.run, """
            import sqlite3, ugreen
            def hold():
                other = sqlite3.connect(shared.path, isolation_level=None)
                other.execute("begin immediate")
                other.execute("insert into t values (null, 'other')")
                shared.holds = True
                time.sleep(0.5)
                other.execute("commit")
                other.close()
            shared.holds = False
            thread = threading.Thread(target=hold)
            thread.start()
            while not shared.holds: time.sleep(0.001)
            def work(n):
                for k in range(20):
                    shared.sqlite.execute("insert into t values (null, ?)", (str(n),))
                    assert shared.sqlite.execute("select count(*) from t where who = ?", (str(n),)).fetchone()[0] == k + 1
            greens = [ugreen.spawn(work, n) for n in range(8)]
            for green in greens: green.result(60)
            thread.join()
            """, timeout=90) as work:
        began = time.monotonic()
        work.result(90)
        assert time.monotonic() - began < 30
    assert server.run("return shared.sqlite.execute('select count(*) from t').fetchone()[0], shared.sqlite.execute('pragma integrity_check').fetchone()[0]") == [161, "ok"]


def test_sqlite_of_requests_and_threads(server, sqlite):
    server.run("""
        def work(n):
            for k in range(30): shared.sqlite.execute("insert into t values (null, ?)", (str(n),))
        shared.threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for thread in shared.threads: thread.start()
        """)
    many(AT_ONCE, lambda i: server.run("for k in range(30): shared.sqlite.execute('insert into t values (null, ?)', (name,))", name=f"request {i}"))
    assert server.run("""
        for thread in shared.threads: thread.join(60)
        return shared.sqlite.execute("select count(*), count(distinct who) from t").fetchone(), shared.sqlite.execute("pragma integrity_check").fetchone()
        """) == [[30 * (AT_ONCE + 3), AT_ONCE + 3], ["ok"]]


MUTEX = """
    import ctypes, ugreen
    libc = ctypes.CDLL(None)
    mutex, attributes = (ctypes.c_char * 64)(), (ctypes.c_char * 16)()
    libc.pthread_mutexattr_init(attributes)
    libc.pthread_mutexattr_settype(attributes, kind)
    libc.pthread_mutex_init(mutex, attributes)
    """


@pytest.mark.parametrize("kind", [0, 1], ids=["normal", "recursive"])
def test_mutexes_exclude(server, kind):
    """A recursive one knows its owner as an OS thread, and that is one for all green threads; so which core has it is noted beside."""
    assert server.run(MUTEX + """
    inside, most = [], []
    def work():
        libc.pthread_mutex_lock(mutex)
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        libc.pthread_mutex_unlock(mutex)
    greens = [ugreen.spawn(work) for _ in range(4)]
    for green in greens: green.result(20)
    return max(most)
    """, kind=kind) == 1


def test_a_recursive_mutex_is_taken_again_by_its_owner(server):
    """By green threads and OS threads in turn."""
    assert server.run(MUTEX + """
    count, faults = [0], []
    def take():
        for k in range(40):
            for _ in range(3): libc.pthread_mutex_lock(mutex)
            seen = count[0]
            time.sleep(0.0002 * (k % 3))
            count[0] = seen + 1
            for _ in range(3):
                if libc.pthread_mutex_unlock(mutex): faults.append("not its owner")
            time.sleep(0)
    greens = [ugreen.spawn(take) for _ in range(4)]
    threads = [threading.Thread(target=take) for _ in range(2)]
    for one in threads: one.start()
    for one in [*greens, *threads]: one.join(60)
    return count[0], faults
    """, kind=1) == [240, []]


def test_dump_names_the_core_that_has_a_recursive_mutex(server):
    assert server.run(MUTEX + """
    import re
    libc.pthread_mutex_lock(mutex)
    green = ugreen.spawn(lambda: libc.pthread_mutex_lock(mutex) or libc.pthread_mutex_unlock(mutex))
    time.sleep(0.01)
    text = ugreen.dump()
    libc.pthread_mutex_unlock(mutex)
    green.result(20)
    return re.findall(r"in pthread_mutex_lock for mutex at 0x\\w+, held by core \\d+ at <test>:\\d+ in body", text) != []
    """, kind=1) is True
