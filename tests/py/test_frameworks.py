"""Unmodified Bottle, Flask and Django applications (Debian's packages) whose views wait in between: fifty clients at once, and nobody gets anything of another one's request."""

import pytest

from serving import Server, abort, get_bytes, many, until

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


# :: A client that leaves in the middle of an upload

UPLOADS = """
import bottle, flask, json, django
from django.conf import settings
settings.configure(DEBUG=False, SECRET_KEY="x", ROOT_URLCONF="uploads", ALLOWED_HOSTS=["*"], MIDDLEWARE=[])
django.setup()
from django.http import HttpResponse
from django.urls import path

site = flask.Flask(__name__)
site.post("/flask/form", endpoint="form")(lambda: str(len(flask.request.files["f"].read())))
site.post("/flask/data", endpoint="data")(lambda: str(len(flask.request.data)))
site.post("/flask/json", endpoint="json")(lambda: str(flask.request.get_json()))
site.post("/flask/stream", endpoint="stream")(lambda: str(sum(map(len, iter(lambda: flask.request.stream.read(1000), b"")))))
site.post("/flask/own", endpoint="own")(lambda: flask.request.data and str(1 / 0))
urlpatterns = [path("django/form", lambda request: HttpResponse(str(request.FILES))), path("django/data", lambda request: HttpResponse(str(len(request.body))))]
from django.core.wsgi import get_wsgi_application
django_site = get_wsgi_application()

def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/flask"):
        return site(environ, start_response)
    if environ["PATH_INFO"].startswith("/django"):
        return django_site(environ, start_response)
    environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [b"pong"]
"""


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uploads")
    (folder / "uploads.py").write_text(UPLOADS)
    with Server("uploads", cores=5, options=["--pythonpath", folder]) as s:
        yield s


@pytest.mark.parametrize("path", ["/flask/form", "/flask/data", "/flask/json", "/flask/stream", "/django/form", "/django/data", "/plain"])
def test_an_upload_that_breaks_off_is_one_line(uploads, path):
    kind = "multipart/form-data; boundary=B" if path.endswith("form") else "application/json"
    part = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + b"x" * 200_000
    mark = len(uploads.log)
    for _ in range(5):
        s = uploads.connect()
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {kind}\r\nContent-Length: 900000\r\n\r\n".encode() + part)
        abort(s)
    until(lambda: uploads.log.count(f'request: POST "{path}" 499', mark) == 5, "the lines of five requests")
    assert [line for line in uploads.log[mark:].splitlines() if f'POST "{path}" 499' not in line and "running as root" not in line] == []


def test_an_error_of_the_applications_own_is_told_as_before(uploads):
    mark = len(uploads.log)
    assert uploads.post("/flask/own", b"x").status == 500
    uploads.wait_log("ZeroDivisionError", start=mark)


# :: What looks for uWSGI


def test_django_uwsgis_page_and_sentry(tmp_path):
    """Debian's django-uwsgi shows all that it knows of the server; Sentry's agent finds nothing to warn of."""
    pytest.importorskip("django_uwsgi"), pytest.importorskip("sentry_sdk")
    (tmp_path / "looks.py").write_text("""
import warnings
warnings.simplefilter("always")
import django, sentry_sdk
sentry_sdk.init("http://a@127.0.0.1:1/1", before_send=lambda event, hint: None)
from django.conf import settings
apps = ["django.contrib." + name for name in ("auth", "contenttypes", "sessions", "messages", "admin")]
settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], INSTALLED_APPS=[*apps, "django_uwsgi"], DEBUG_PROPAGATE_EXCEPTIONS=True, STATIC_URL="/static/", USE_TZ=False,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": ["django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies", DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()
from django.contrib import admin
from django.urls import include, path
from django_uwsgi.views import UwsgiStatus

class Somebody:
    is_staff = is_active = is_superuser = is_authenticated = True
    pk, username = 1, "somebody"
    def has_perm(*arguments): return True
    has_module_perms = has_perm

def page(request):
    request.user = Somebody()
    return UwsgiStatus.as_view()(request)

urlpatterns = [path("page", page), path("admin/", admin.site.urls), path("uwsgi/", include("django_uwsgi.urls"))]
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""")
    with Server("looks", cores=5, options=["--pythonpath", tmp_path]) as server:
        page = server.get("/page")
        assert page.status == 200
        for word in ("buffer_size", "enable-threads", "total_requests", str(server.pid)):
            assert word in page.text, word
        assert "disabled threads" not in server.log and "Traceback" not in server.log
