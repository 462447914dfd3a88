"""An ordinary Bottle application, for its error pages, forms and streams."""

import bottle

application = bottle.Bottle()


@application.route("/")
def fine():
    return "fine"


@application.route("/raises")
def raises():
    return {}["of the view"]


@application.route("/teapot")
def teapot():
    bottle.abort(418, "short and stout")


@application.route("/handled")
def handled():
    raise bottle.HTTPResponse("own page", 503)


@application.post("/post-only")
def post_only():
    return ""


@application.route("/redirect")
def redirect():
    bottle.redirect("/elsewhere", 302)


@application.post("/form")
def form():
    return {"name": bottle.request.forms.getunicode("name")}


@application.post("/json")
def json():
    return bottle.request.json


@application.route("/stream")
def stream():
    for i in range(5):
        yield f"{i}\n"


@application.route("/päth/<name>")
def path(name):
    return {"name": name, "q": bottle.request.query.getunicode("q")}
