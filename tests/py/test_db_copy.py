"""COPY with ``--psycopg2``: psycopg2 refuses it with a wait callback, so it is done by the server's own code on psycopg2's connection."""

import textwrap

import pytest

from serving import PATIENCE, Remote, Server, background, until


@pytest.fixture(scope="module")
def server(database):
    with Server("run_code", cores=30, options=["--psycopg2"], env={"DSN": database.dsn}) as s:
        yield s


TABLE = """
import io, os, psycopg2, psycopg2.extensions, ugreen
from psycopg2 import sql
conn = psycopg2.connect(os.environ["DSN"])
cur = conn.cursor()
cur.execute("create temp table t (n int primary key, text text)")
conn.commit()
"""


def run(server, code, **values):
    return server.run(TABLE + textwrap.dedent(code), **values)


def test_there_and_back_as_text_and_bytes(server):
    assert run(server, """
        rows = cur.copy_from(io.StringIO("1\\tä\\n2\\t\\\\N\\n"), "t")
        cur.copy_from(io.BytesIO("3;ö\\n4;\\n".encode()), "t", sep=";", null="", columns=("n", "text"))
        text, data = io.StringIO(), io.BytesIO()
        back = cur.copy_to(text, "t"), cur.copy_to(data, "t", sep="|", null="-", columns=["text", "n"])
        in_transaction = conn.info.transaction_status
        conn.commit()
        return rows, back, text.getvalue(), data.getvalue().decode(), in_transaction
        """) == [2, [4, 4], "1\tä\n2\t\\N\n3\tö\n4\t\\N\n", "ä|1\n-|2\nö|3\n-|4\n", 2]


def test_copy_expert_with_csv_and_composed_sql(server):
    assert run(server, """
        rows = cur.copy_expert("COPY t FROM STDIN WITH (FORMAT csv, HEADER)", io.StringIO('n,text\\n1,"a,b"\\n'))
        out = io.StringIO()
        cur.copy_expert(sql.SQL("COPY (SELECT {} FROM t) TO STDOUT WITH CSV").format(sql.Identifier("text")), out)
        again = ugreen.psycopg2.copy_expert(cur, b"COPY t TO STDOUT", io.BytesIO())
        return rows, out.getvalue(), again
        """) == [1, '"a,b"\n', 1]


def test_rowcount_and_query_are_the_copys_until_the_next_command(server):
    assert run(server, """
        cur.copy_from(io.StringIO("1\\tx\\n2\\ty\\n"), "t")
        seen = [(cur.rowcount, cur.query.decode())]
        def look():
            seen.append((cur.rowcount, cur.query.decode()))
        cur.execute("select * from t where n = 1"), look()
        cur.copy_expert("COPY t TO STDOUT", io.BytesIO()), look()
        cur.executemany("insert into t values (%s)", [(3,)]), look()
        try:
            cur.copy_from(io.StringIO("x\\tx\\n"), "t", columns=["n", "text"])
        except psycopg2.DataError:
            look()
            conn.rollback()
        cur.callproc("abs", (5,)), look()
        return seen
        """) == [
            [2, r"""COPY "t" FROM STDIN WITH DELIMITER AS 'TAB' NULL AS '\N'""".replace("TAB", "\t")], [1, "select * from t where n = 1"], [2, "COPY t TO STDOUT"],
            [1, "insert into t values (3)"], [-1, r"""COPY "t"("n","text") FROM STDIN WITH DELIMITER AS 'TAB' NULL AS '\N'""".replace("TAB", "\t")], [1, "SELECT * FROM abs(5)"],
        ]


@pytest.mark.parametrize("call, text", [
    ("cur.copy_from(5, 't')", "argument 1 must have a .read() method"), ("cur.copy_to(5, 't')", "argument 1 must have a .write() method"),
    ("cur.copy_expert('COPY t TO STDOUT', None)", "file must be a readable file-like object for COPY FROM; a writable file-like object for COPY TO."),
    ("cur.copy_expert(5, io.StringIO())", "argument 1 must be a string or unicode object"),
])
def test_wrong_arguments(server, call, text):
    with pytest.raises(Remote) as error:
        run(server, call)
    assert (error.value.kind, error.value.text) == ("TypeError", text)


def test_it_belongs_to_the_transaction(server):
    assert run(server, """
        cur.copy_from(io.StringIO("1\\tx\\n"), "t")
        conn.rollback()
        cur.execute("select count(*) from t")
        empty = cur.fetchone()
        conn.commit()
        conn.autocommit = True
        cur.copy_from(io.StringIO("1\\tx\\n"), "t")
        status = conn.info.transaction_status
        cur.execute("select count(*) from t")
        return empty, status, cur.fetchone()
        """) == [[0], 0, [1]]


def test_others_run_while_a_large_copy_waits(server, database):
    """More than all buffers hold, into a table that somebody has locked: it waits in the middle of the command, and then for the server to read."""
    database.psql("create table large (n int, text text)")
    try:
        with background(run, server, """
            import _ugreen
            class Rows:
                count = 0
                def read(self, size):
                    self.count += 1
                    return b"" if self.count > 3000 else (b"%d\\t" % self.count) + b"x" * 8000 + b"\\n"
            class Bytes:
                total = 0
                def write(self, data):
                    self.total += len(data)
            holder = psycopg2.connect(os.environ["DSN"])
            holder.cursor().execute("lock table large")
            def let_go():
                shared.go = ugreen.Event()
                shared.go.wait(60)
                holder.commit()
                holder.close()
            _ugreen.spawn(let_go)
            rows = cur.copy_expert("COPY large FROM STDIN", Rows())
            conn.commit()
            out = Bytes()
            back = cur.copy_expert("COPY large TO STDOUT", out)
            conn.close()
            return rows, back, out.total > 3000 * 8000
            """) as copying:
            until(lambda: database.count("wait_event_type = 'Lock'"), "the copy waits for the lock")
            assert server.run("return 1 + 1") == 2
            server.run("shared.go.set()")
            assert copying.result(PATIENCE) == [3000, 3000, True]
    finally:
        database.psql("drop table large")


def test_errors_of_the_server_leave_the_connection_usable(server):
    assert run(server, """
        def code(action):
            try:
                action()
            except psycopg2.Error as error:
                conn.rollback()
                return type(error).__name__, error.pgcode, str(error).splitlines()[0], error.pgerror.split(":")[0] if error.pgerror else None
        seen = [
            code(lambda: cur.copy_from(io.StringIO("1\\tx\\n1\\ty\\n"), "t")),
            code(lambda: cur.copy_from(io.StringIO("no number\\tx\\n" * 100000), "t")),
            code(lambda: cur.copy_to(io.StringIO(), "nowhere")),
            code(lambda: cur.copy_expert("select 1", io.StringIO())),
            code(lambda: cur.copy_expert("nonsense", io.StringIO())),
            code(lambda: cur.copy_expert("COPY (select 1/(5-n) from generate_series(1, 9) n) TO STDOUT", io.StringIO())),
        ]
        cur.execute("select count(*) from t")
        return seen, cur.fetchone(), conn.closed
        """) == [[
            ["UniqueViolation", "23505", 'duplicate key value violates unique constraint "t_pkey"', "ERROR"],
            ["InvalidTextRepresentation", "22P02", 'invalid input syntax for type integer: "no number"', "ERROR"],
            ["UndefinedTable", "42P01", 'relation "nowhere" does not exist', "ERROR"],
            ["ProgrammingError", None, "only COPY ... FROM STDIN and COPY ... TO STDOUT can be run here", None],
            ["SyntaxError", "42601", 'syntax error at or near "nonsense"', "ERROR"],
            ["DivisionByZero", "22012", "division by zero", "ERROR"],
        ], [0], 0]


def test_what_the_file_raises_reaches_the_application(server):
    """The error itself, and a connection that can be used after a rollback."""
    assert run(server, """
        class Broken(io.RawIOBase):
            calls = 0
            def read(self, size=-1):
                self.calls += 1
                if self.calls > 3: raise KeyError("mine")
                return b"%d\\tx\\n" % self.calls
            def write(self, data):
                raise ZeroDivisionError("mine")
        seen = []
        for action in (lambda: cur.copy_from(Broken(), "t"), lambda: cur.copy_expert("COPY (select * from generate_series(1, 3000000)) TO STDOUT", Broken()),
                       lambda: cur.copy_from(type("F", (), {"read": lambda self, n: 5})(), "t")):
            try:
                action()
            except Exception as error:
                seen.append(type(error).__name__)
            conn.rollback()
        cur.execute("select count(*) from t")
        return seen, cur.fetchone()
        """) == [["KeyError", "ZeroDivisionError", "TypeError"], [0]]


def test_a_time_limit_ends_it(server, database):
    assert run(server, """
        block = ugreen.timeout(0.2, quiet=True)
        with block, conn, conn.cursor() as cursor:
            cursor.copy_expert("COPY (select pg_sleep(65)) TO STDOUT", io.StringIO())
        return block.expired, bool(conn.closed)
        """) == [True, True]
    until(lambda: not database.running("pg_sleep(65)"), "the server has cancelled it")


def test_without_a_class_of_ours_psycopg2_refuses(server):
    with pytest.raises(Remote, match="copy_from cannot be used with an asynchronous callback") as error:
        run(server, """
        import psycopg2.extras
        psycopg2.connect(os.environ["DSN"], cursor_factory=psycopg2.extras.DictCursor).cursor().copy_from(io.StringIO(""), "t")
        """)
    assert error.value.kind == "ProgrammingError"


def test_a_time_limit_between_two_rows(server, database):
    """The first rows are there, the last would take a minute: the limit is what is raised, and the server hears of it."""
    assert run(server, """
        import io
        out = io.StringIO()
        try:
            with ugreen.timeout(1):
                cur.copy_expert("COPY (SELECT repeat('x', 100000), CASE WHEN n = 9 THEN pg_sleep(61) END FROM generate_series(1, 9) n) TO STDOUT", out)
        except BaseException as error:
            return type(error).__name__, len(out.getvalue()) > 0, conn.closed > 0
        """) == ["Timeout", True, True]
    until(lambda: not database.running("pg_sleep(61)"), "the query is cancelled")


def test_a_time_limit_while_the_server_takes_nothing(server, database):
    database.psql("create table locked_out (text text)")
    try:
        assert run(server, """
            class Rows:
                def read(self, size): return b"x" * 8000 + b"\\n"
            holder = psycopg2.connect(os.environ["DSN"])
            holder.cursor().execute("lock table locked_out")
            try:
                with ugreen.timeout(1):
                    cur.copy_expert("COPY locked_out FROM STDIN", Rows())
            except BaseException as error:
                return type(error).__name__, conn.closed > 0
            finally:
                holder.close()
            """) == ["Timeout", True]
        until(lambda: not database.running("COPY locked_out"), "the command is cancelled")
    finally:
        database.psql("drop table locked_out")


def test_an_error_of_the_servers_says_all_that_psycopg2s_own_says(server):
    """Compared with what the same connection's execute() raises."""
    found = run(server, """
        import pickle
        def raised(function):
            try:
                function()
            except psycopg2.Error as error:
                conn.rollback()
                return error
        def told(error):
            fields = {name: getattr(error.diag, name) for name in dir(error.diag) if not name.startswith("_")}
            # Where the parser was, and where in the server's own source: not the same for two commands.
            for name in ("statement_position", "source_file", "source_line", "source_function"):
                del fields[name]
            again = pickle.loads(pickle.dumps(error))
            return [[kind.__name__ for kind in type(error).__mro__ if kind.__module__ != "builtins"][-4:], error.pgcode, (error.pgerror or "").partition("\\n")[0],
                    isinstance(error.diag, psycopg2.extensions.Diagnostics), fields, error.cursor is cur, isinstance(error, psycopg2.errors.lookup(error.pgcode)),
                    [again.__class__.__name__, again.pgcode, again.args == error.args]]
        missing = raised(lambda: cur.copy_from(io.StringIO("1\\n"), "nosuch")), raised(lambda: cur.execute("select * from nosuch"))
        twice = raised(lambda: cur.copy_from(io.StringIO("1\\ta\\n1\\tb\\n"), "t")), raised(lambda: cur.execute("insert into t values (1, 'a'), (1, 'b')"))
        names = type(missing[0]).__name__, str(type(missing[0])) == str(type(missing[1])), type(missing[0]) is type(raised(lambda: cur.copy_to(io.StringIO(), "nosuch")))
        return [told(error) for error in (*missing, *twice)], names
        """)
    (copied, executed, copied_twice, inserted_twice), names = found
    assert names == ["UndefinedTable", True, True]
    assert copied == executed and copied[1] == "42P01" and copied[4]["severity"] == "ERROR" and copied[4]["message_primary"] == 'relation "nosuch" does not exist'
    assert copied_twice[4].pop("context").startswith("COPY t, line 2")
    assert inserted_twice[4].pop("context") is None
    assert copied_twice == inserted_twice and copied_twice[4]["constraint_name"] == "t_pkey" and copied_twice[4]["table_name"] == "t"


def test_a_lost_connection_names_its_cursor(server):
    assert run(server, """
        with psycopg2.connect(os.environ["DSN"]) as other:
            pid = conn.info.backend_pid
            class File:
                sent = 0
                def read(self, size):
                    self.sent += 1
                    if self.sent == 1:
                        with other.cursor() as killer:
                            killer.execute("select pg_terminate_backend(%s)", (pid,))
                    return b"1\\tx\\n" * 10_000
            try:
                cur.copy_from(File(), "t")
            except psycopg2.OperationalError as error:
                return error.cursor is cur, bool(error.pgerror), error.diag.sqlstate in (None, "57P01")
        """) == [True, True, True]
