"""A small site with Django; flask_site and bottle_site have the same pages."""

import hashlib
import pathlib
from wsgiref.validate import validator

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["site.example"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF="django_site",
    SECRET_KEY="not a secret",
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    USE_TZ=True,
)
django.setup()

import uwsgi  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path, reverse  # noqa: E402
from django.views.static import serve  # noqa: E402


def login(request):
    request.session["name"] = request.POST["name"]
    return HttpResponseRedirect(reverse("me"))


def me(request):
    return HttpResponse(f"{request.session['name']} at {request.build_absolute_uri(reverse('me'))} from {request.build_absolute_uri()}")


def upload(request):
    file = request.FILES["file"]
    data = file.read()
    return JsonResponse({"field": request.POST["field"], "name": file.name, "size": len(data), "sha": hashlib.sha256(data).hexdigest()})


def local(request, name):
    def lines():
        for i in range(5):
            uwsgi.async_sleep(0.002)
            uwsgi.suspend()
            yield f"{i} {request.GET['q']} {request.headers['X-Name']} {request.resolver_match.kwargs['name']}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def raises(request):
    raise KeyError("of the view")


STATIC = {"document_root": str(pathlib.Path(__file__).resolve().parent / "static")}
urlpatterns = [
    path("login", login), path("me", me, name="me"), path("upload", upload), path("local/<str:name>", local), path("raises", raises), path("static/<path:path>", serve, STATIC),
]
application = get_wsgi_application()
validated = validator(application)
