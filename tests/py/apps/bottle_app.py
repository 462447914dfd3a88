"""An ordinary Bottle application: nothing in it knows of green threads, except that its views wait."""

import uwsgi
from bottle import Bottle, HTTPError, request, response, template

app = application = Bottle()


def wait():
    for _ in range(5):
        uwsgi.suspend()
    uwsgi.async_sleep(0.002)
    uwsgi.suspend()


@app.route("/hello/<name>")
def hello(name):
    query, agent = request.query.q, request.headers.get("X-Client")
    response.set_cookie("who", name)
    response.content_type = "text/plain"
    response.headers["X-First"] = name
    wait()
    request.mine = name
    wait()
    assert (query, agent) == (request.query.q, request.headers.get("X-Client"))
    response.headers["X-Second"] = request.mine
    wait()
    return template("{{name}} {{path}} {{q}} {{client}} {{mine}}", name=name, path=request.path, q=request.query.q, client=request.headers.get("X-Client"), mine=request.mine)


@app.post("/form")
def form():
    wait()
    name = request.forms.get("name")
    wait()
    return {"name": name, "again": request.forms.get("name"), "length": request.content_length}


@app.route("/stream/<name>")
def stream(name):
    response.content_type = "text/plain"
    for i in range(5):
        wait()
        yield f"{name} {i} {request.path}\n"


@app.route("/teapot/<name>")
def teapot(name):
    wait()
    raise HTTPError(418, f"I am {name} at {request.path}")


@app.error(418)
def error(failure):
    wait()
    return f"{failure.body}, and still {request.path}"
