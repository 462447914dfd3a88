"""Flask with Sentry's SDK: every event has its own request's tag, user, breadcrumbs and URL, whatever waits in between."""

import json

import sentry_sdk
import ugreen
from flask import Flask
from sentry_sdk.integrations.flask import FlaskIntegration

_events = {}


def _keep(event, hint):
    """Instead of sending it."""
    _events[event["tags"]["who"]] = event


sentry_sdk.init("http://key@127.0.0.1:1/1", integrations=[FlaskIntegration()], before_send=_keep, traces_sample_rate=0.0)
application = Flask(__name__)


@application.route("/event/<who>")
def event(who):
    with sentry_sdk.configure_scope() as scope:
        scope.set_tag("who", who)
        scope.set_user({"id": who})
    sentry_sdk.add_breadcrumb(message=who)
    ugreen.sleep(0.01)
    sentry_sdk.capture_message(f"message of {who}")
    seen = _events.pop(who)
    crumbs = [crumb["message"] for crumb in seen["breadcrumbs"]["values"]]
    return json.dumps([seen["tags"]["who"], seen["user"]["id"], crumbs, seen["message"], seen["request"]["url"].rpartition("/")[2], seen["transaction"]])
