"""Radicale (calendars over CalDAV): each client makes a calendar of its own, fills it, changes and deletes events, and asks for all of it."""

import base64
import contextlib
import re

import pytest

from real_apps import serve, visits
from serving import Answer

EVENTS = 6

CONFIGURATION = """\
[storage]
filesystem_folder = {folder}/collections
[auth]
type = none
[logging]
level = warning
"""

EVENT = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//test//", "BEGIN:VEVENT", "UID:{uid}", "DTSTAMP:20260101T000000Z", "DTSTART:20260101T{i:02}0000Z",
    "SUMMARY:{summary}", "DESCRIPTION:{filler}", "END:VEVENT", "END:VCALENDAR", ""])

PROPERTIES = '<propfind xmlns="DAV:"><prop><getetag/><displayname/><resourcetype/><getcontentlength/></prop></propfind>'

QUERY = (
    '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>'
    '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260101T020000Z" end="20260101T040000Z"/></C:comp-filter></C:comp-filter></C:filter>'
    "</C:calendar-query>")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("radicale")
    folder = tmp_path_factory.mktemp("radicale")
    (folder / "config").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    with serve("radicale", ["--env", f"RADICALE_CONFIG={folder}/config"], cwd=folder) as s:
        yield s


def listing(multistatus):
    """The answers for each resource, in an order that does not depend on the folder's."""
    return sorted(re.findall(r"<response>.*?</response>", multistatus, re.DOTALL))


def events(calendar):
    return sorted(re.findall(r"BEGIN:VEVENT.*?END:VEVENT", calendar, re.DOTALL))


def test_calendars(server):
    def visit(name):
        seen = []
        with contextlib.closing(server.client()) as connection:
            def ask(method, path, body=None, what=str, **headers):
                login = {"Authorization": "Basic " + base64.b64encode(f"{name}:x".encode()).decode()}
                connection.request(method, f"/{name}/{path}", body, {**login, **headers})
                answer = Answer(connection.getresponse())
                # An ETag is a hash of what holds the name.
                seen.append((method, path, answer.status, answer.headers["Content-Type"], what(re.sub(r'"[0-9a-f]{64}"', "ETAG", answer.text))))
                return answer

            def put(i, summary, **headers):
                event = EVENT.format(uid=f"{name}-{i}", i=i, summary=summary, filler="x" * 20000)
                return ask("PUT", f"calendar/{i}.ics", event, **{"Content-Type": "text/calendar", **headers})

            ask("GET", "calendar/")
            ask("MKCALENDAR", "calendar/")
            ask("MKCALENDAR", "calendar/")
            tags = [put(i, f"event {i} of {name}").headers["ETag"] for i in range(EVENTS)]
            ask("PROPFIND", "calendar/", PROPERTIES, listing, Depth="1")
            put(1, f"another of {name}", **{"If-Match": tags[0]})
            put(1, f"another of {name}", **{"If-Match": tags[1]})
            ask("DELETE", "calendar/2.ics")
            ask("GET", "calendar/2.ics")
            ask("GET", "calendar/1.ics")
            ask("REPORT", "calendar/", QUERY, listing)
            ask("GET", "calendar/", what=events)
            ask("PROPFIND", "", PROPERTIES, listing, Depth="1")
        return seen

    alone = visits(visit)
    assert [status for _, _, status, _, _ in alone] == [404, 201, 409, *[201] * EVENTS, 207, 412, 201, 200, 404, 200, 207, 200, 207]
    assert "another of NAME" in alone[-4][-1] and len(alone[-2][-1]) == EVENTS - 1 and len(alone[-3][-1]) == 1
