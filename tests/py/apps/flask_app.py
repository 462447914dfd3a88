"""An ordinary Flask application: nothing in it knows of green threads, except that its views wait."""

import flask
import uwsgi
from flask import Flask, abort, flash, g, get_flashed_messages, render_template_string, request, session, stream_with_context, url_for

app = application = Flask(__name__)
app.secret_key = "not a secret"


def wait():
    for _ in range(5):
        uwsgi.suspend()
    uwsgi.async_sleep(0.002)
    uwsgi.suspend()


@app.before_request
def before():
    g.client = request.headers.get("X-Client")
    wait()


@app.after_request
def after(response):
    wait()
    response.headers["X-G"] = g.client or ""
    response.headers["X-Path"] = request.path
    return response


@app.teardown_request
def teardown(error):
    wait()
    assert g.client == request.headers.get("X-Client")


@app.route("/hello/<name>")
def hello(name):
    session["who"] = name
    flash(f"hello {name}")
    g.mine = name
    wait()
    assert session["who"] == name and g.mine == name and flask.current_app.name == app.name
    page = render_template_string("{{ name }} {{ request.path }} {{ request.args.q }} {{ g.client }} {{ g.mine }} {{ wait() or '' }}{{ session.who }} {{ request.path }} ", name=name, wait=wait)
    return page + url_for("hello", name=name) + " " + ",".join(get_flashed_messages())


@app.post("/form")
def form():
    wait()
    name = request.form["name"]
    wait()
    return {"name": name, "again": request.form["name"], "length": request.content_length}


@app.route("/stream/<name>")
def stream(name):
    def lines():
        for i in range(5):
            wait()
            yield f"{name} {i} {request.path}\n"

    return app.response_class(stream_with_context(lines()), mimetype="text/plain")


@app.route("/teapot/<name>")
def teapot(name):
    wait()
    abort(418, f"I am {name} at {request.path}")


@app.errorhandler(418)
def error(failure):
    wait()
    return f"{failure.description}, and still {request.path}", 418
