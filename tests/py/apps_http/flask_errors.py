"""An ordinary Flask application, for its error pages, forms and streams."""

import flask

application = flask.Flask(__name__)


@application.route("/")
def fine():
    return "fine"


@application.route("/raises")
def raises():
    return {}["of the view"]


@application.route("/teapot")
def teapot():
    flask.abort(418, "short and stout")


class Handled(Exception):
    pass


@application.errorhandler(Handled)
def handle(error):
    return "own page", 503


@application.route("/handled")
def handled():
    raise Handled


@application.route("/post-only", methods=["POST"])
def post_only():
    return ""


@application.route("/redirect")
def redirect():
    return flask.redirect("/elsewhere")


@application.route("/form", methods=["POST"])
def form():
    return {"name": flask.request.form["name"]}


@application.route("/json", methods=["POST"])
def json():
    return flask.request.get_json()


@application.route("/stream")
def stream():
    return flask.Response(f"{i}\n" for i in range(5))


@application.route("/päth/<name>")
def path(name):
    return {"name": name, "q": flask.request.args["q"]}
