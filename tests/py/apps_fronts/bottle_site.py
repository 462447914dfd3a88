"""A small site with Bottle; flask_site and django_site have the same pages."""

import hashlib
import pathlib
from wsgiref.validate import validator

import bottle
import uwsgi
from bottle import redirect, request, response, static_file

app = application = bottle.Bottle()
SECRET = "not a secret"


@app.post("/login")
def login():
    response.set_cookie("name", request.forms.name, secret=SECRET)
    redirect("/me")


@app.get("/me")
def me():
    return f"{request.get_cookie('name', secret=SECRET)} at {request.urlparts.scheme}://{request.urlparts.netloc}/me from {request.url}"


@app.post("/upload")
def upload():
    file = request.files.file
    data = file.file.read()
    return {"field": request.forms.field, "name": file.raw_filename, "size": len(data), "sha": hashlib.sha256(data).hexdigest()}


@app.get("/local/<name>")
def local(name):
    response.content_type = "text/plain"
    for i in range(5):
        uwsgi.async_sleep(0.002)
        uwsgi.suspend()
        yield f"{i} {request.query.q} {request.headers['X-Name']} {request.url_args['name']}\n"


@app.get("/raises")
def raises():
    raise KeyError("of the view")


@app.get("/static/<name>")
def static(name):
    return static_file(name, str(pathlib.Path(__file__).resolve().parent / "static"))


validated = validator(application)
