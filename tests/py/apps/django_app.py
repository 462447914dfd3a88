"""An ordinary Django project in one file, with middleware, translations, signals, time zones and a database: nothing in it knows of green threads, except that its views wait."""

import os

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(os.environ["UGREEN_TEST_FOLDER"], "django.sqlite"), "CONN_MAX_AGE": None, "OPTIONS": {"timeout": 30}}},
    LANGUAGES=[("de", "German"), ("fr", "French"), ("en", "English")],
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.middleware.locale.LocaleMiddleware", "django.middleware.common.CommonMiddleware", "django_app.middleware"],
    ROOT_URLCONF="django_app",
    SECRET_KEY="not a secret",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_I18N=True,
    USE_TZ=True,
)
django.setup()

import uwsgi  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path, reverse  # noqa: E402
from django.utils import timezone, translation  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

with connection.cursor() as cursor:
    # Readers that are parked in a transaction must not lock out the writer: SQLite would wait for them with the whole worker.
    cursor.execute("pragma journal_mode=wal")
    cursor.execute("create table if not exists visitors (name text, client text)")
connection.close()


def wait():
    for _ in range(5):
        uwsgi.suspend()
    uwsgi.async_sleep(0.002)
    uwsgi.suspend()


def middleware(get_response):
    def process(request):
        client = request.headers.get("X-Client")
        wait()
        response = get_response(request)
        wait()
        assert client == request.headers.get("X-Client")
        response["X-G"], response["X-Path"], response["X-Language"] = client or "", request.path, translation.get_language()
        return response

    return process


def hello(request, name):
    language = translation.get_language()
    monday = str(translation.gettext("Monday"))
    wait()
    with translation.override("fr"), timezone.override("Europe/Paris" if len(name) % 2 else "Asia/Tokyo"):
        zone = timezone.get_current_timezone_name()
        wait()
        assert translation.get_language() == "fr" and timezone.get_current_timezone_name() == zone
    assert translation.get_language() == language
    client = request.headers["X-Client"]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from visitors where client = %s", [client])
            wait()
            assert connection.in_atomic_block
            before = cursor.fetchone()[0]
    assert not connection.in_atomic_block
    with connection.cursor() as cursor:
        # And no wait within a writing transaction: there is one writer at a time.
        cursor.execute("insert into visitors values (%s, %s)", [name, client])
    wait()
    template = engines["django"].from_string("{{ name }} {{ request.path }} {{ request.GET.q }}")
    text = template.render({"name": name, "request": request})
    return HttpResponse(f"{text} {reverse('hello', args=[name])} {language} {monday} {before}", content_type="text/plain")


@csrf_exempt
def form(request):
    wait()
    name = request.POST["name"]
    wait()
    return JsonResponse({"name": name, "again": request.POST["name"], "length": int(request.headers["Content-Length"])})


def stream(request, name):
    def lines():
        for i in range(5):
            wait()
            yield f"{name} {i} {request.path}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


urlpatterns = [path("hello/<str:name>", hello, name="hello"), path("form", form), path("stream/<str:name>", stream)]
application = get_wsgi_application()
