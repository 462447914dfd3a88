"""A small site with Flask; bottle_site and django_site have the same pages."""

import hashlib
from wsgiref.validate import validator

import uwsgi
from flask import Flask, g, redirect, request, session, stream_with_context, url_for

app = application = Flask(__name__)
app.secret_key = "not a secret"


@app.post("/login")
def login():
    session["name"] = request.form["name"]
    return redirect(url_for("me"))


@app.get("/me")
def me():
    return f"{session['name']} at {url_for('me', _external=True)} from {request.url}"


@app.post("/upload")
def upload():
    file = request.files["file"]
    data = file.read()
    return {"field": request.form["field"], "name": file.filename, "size": len(data), "sha": hashlib.sha256(data).hexdigest()}


@app.get("/local/<name>")
def local(name):
    g.name = name

    def lines():
        for i in range(5):
            uwsgi.async_sleep(0.002)
            uwsgi.suspend()
            assert g.name == name
            yield f"{i} {request.args['q']} {request.headers['X-Name']} {g.name}\n"

    return app.response_class(stream_with_context(lines()), mimetype="text/plain")


@app.get("/raises")
def raises():
    raise KeyError("of the view")


validated = validator(application)
