"""Unmodified Bottle, Flask and Django applications (Debian's packages) whose views wait in between: fifty clients at once, and nobody gets anything of another one's request."""

import pytest

from serving import Server, abort, get_bytes, many

CLIENTS = 50
ROUNDS = 6
# Fewer than clients, so that requests also wait for a core and take over what the last one left.
CORES = 30


def serve(app, tmp_path_factory):
    package = app.partition("_")[0]
    pytest.importorskip(package)
    return Server(app, cores=CORES, options=["--disable-logging"], env={"UGREEN_TEST_FOLDER": str(tmp_path_factory.mktemp(package))})


@pytest.fixture(scope="module")
def bottle(tmp_path_factory):
    with serve("bottle_app", tmp_path_factory) as s:
        yield s


@pytest.fixture(scope="module")
def flask(tmp_path_factory):
    with serve("flask_app", tmp_path_factory) as s:
        yield s


@pytest.fixture(scope="module")
def django(tmp_path_factory):
    with serve("django_app", tmp_path_factory) as s:
        yield s


@pytest.fixture(params=["bottle", "flask", "django"])
def server(request):
    return request.getfixturevalue(request.param)


def everyone(check):
    """Run check(name, headers) for fifty clients, several times each, with a name of its own for every request."""

    def client(i):
        for turn in range(ROUNDS):
            name = f"client{i}turn{turn}"
            check(name, {"X-Client": f"c{i}", "Accept-Language": ["de", "fr", "en"][i % 3]})

    many(CLIENTS, client)


def test_forms(server):
    def check(name, headers):
        body = f"name={name}&filler={'x' * 20000}"
        answer = server.post("/form", body, {"Content-Type": "application/x-www-form-urlencoded", **headers})
        assert answer.json == {"name": name, "again": name, "length": len(body)}

    everyone(check)


def test_streams(server):
    def check(name, headers):
        assert server.get(f"/stream/{name}", headers).text == "".join(f"{name} {i} /stream/{name}\n" for i in range(5))

    everyone(check)


def test_bottle_request_and_response(bottle):
    def check(name, headers):
        answer = bottle.get(f"/hello/{name}?q=q-{name}", headers)
        assert answer.text == f"{name} /hello/{name} q-{name} {headers['X-Client']} {name}"
        assert (answer.headers["X-First"], answer.headers["X-Second"], answer.headers["Set-Cookie"]) == (name, name, f"who={name}")

    everyone(check)


def test_flask_globals(flask):
    def check(name, headers):
        answer = flask.get(f"/hello/{name}?q=q-{name}", headers)
        assert answer.text == f"{name} /hello/{name} q-{name} {headers['X-Client']} {name} {name} /hello/{name} /hello/{name} hello {name}"
        assert (answer.headers["X-G"], answer.headers["X-Path"]) == (headers["X-Client"], f"/hello/{name}")
        assert len(answer.headers.get_all("Set-Cookie")) == 1

    everyone(check)


def test_flask_sessions(flask):
    """Each client's cookie jar stays its own over several requests."""

    def client(i):
        cookie = {}
        for turn in range(ROUNDS):
            answer = flask.get(f"/hello/s{i}", {"X-Client": f"c{i}", **cookie})
            assert f" s{i} /hello/s{i} " in answer.text
            cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    many(CLIENTS, client)


def test_django_request_translation_and_database(django):
    monday = {"de": "Montag", "fr": "lundi", "en": "Monday"}

    def check(name, headers):
        language = headers["Accept-Language"]
        answer = django.get(f"/hello/{name}?q=q-{name}", headers)
        turn = int(name.partition("turn")[2])
        assert answer.text == f"{name} /hello/{name} q-{name} /hello/{name} {language} {monday[language]} {turn}"
        assert (answer.headers["X-G"], answer.headers["X-Path"]) == (headers["X-Client"], f"/hello/{name}")

    everyone(check)


@pytest.mark.parametrize("app", ["bottle", "flask"])
def test_error_pages(app, request):
    server = request.getfixturevalue(app)

    def check(name, headers):
        answer = server.get(f"/teapot/{name}", headers)
        assert (answer.status, answer.text) == (418, f"I am {name} at /teapot/{name}, and still /teapot/{name}")

    everyone(check)


def test_clients_that_leave_do_not_disturb_the_others(flask):
    """A third of the clients drops its connection in the middle; request globals of the rest stay right."""
    def client(i):
        for turn in range(ROUNDS):
            name = f"left{i}turn{turn}"
            if i % 3 == 0:
                s = flask.connect()
                s.sendall(get_bytes(f"/stream/{name}"))
                abort(s)
            else:
                answer = flask.get(f"/hello/{name}?q=1", {"X-Client": f"c{i}"})
                assert answer.text.startswith(f"{name} /hello/{name} 1 c{i} {name}") and answer.headers["X-G"] == f"c{i}"

    many(CLIENTS, client)
