"""The page of examples/ugreenchat.py in a real browser: people join, talk, lose their connection, come back, and nothing is lost, doubled or taken for markup.

UGREEN_PICTURES=1 ./run-tests py -k picture     takes the README's picture anew
"""

import contextlib
import os
import pathlib
import struct

import pytest

from browser import Browser
from serving import ROOT, Server, free_port, until

PICTURE = ROOT / "docs" / "images" / "ugreenchat.png"
CONNECTED = "document.querySelector('#state').className === 'on'"


@pytest.fixture(scope="module")
def browser():
    with Browser() as b:
        yield b


@pytest.fixture(autouse=True)
def _nothing_is_left(browser):
    yield
    browser.close_pages(check=False)        # only where a test has failed


@pytest.fixture
def server(browser):
    with chat(browser) as s:
        yield s


def serve(app="chat_quick", cores=30, **more):
    return Server(app, cores=cores, options=["--shutdown-timeout", "1"], **more)


@contextlib.contextmanager
def chat(browser, **kind):
    """A server; at its end the pages are closed, before they notice, and must have had no problem."""
    with serve(**kind) as server:
        yield server
        browser.close_pages()


def arrive(browser, server, name, **kind):
    page = browser.open(name, server.url, **kind)
    page.fill("#name", name)
    page.press("#name", "Enter")
    page.wait(CONNECTED)
    return page


def say(page, text):
    page.fill("#text", text)
    page.press("#text", "Enter")
    page.wait("document.querySelector('#text').value === ''")


def hear(page, text):
    until(lambda: text in page.texts(".text"), f"{page.name} reads {text!r}", every=0.05)


def note(page, words):
    until(lambda: any(line.startswith(words) for line in page.texts(".note")), f"{page.name} reads {words!r}", every=0.05)


def test_people_talk_come_late_and_leave(browser, server):
    ada, grace = arrive(browser, server, "Ada"), arrive(browser, server, "Grace")
    note(ada, "Grace joined")
    say(ada, "Hello Grace")
    hear(grace, "Hello Grace")
    say(grace, "Hello Ada,\nhow are you?")
    hear(ada, "Hello Ada,\nhow are you?")
    assert ada.texts(".mine .text") == ["Hello Grace"] and grace.texts(".mine .text") == ["Hello Ada,\nhow are you?"]

    linus = arrive(browser, server, "Linus")
    hear(linus, "Hello Ada,\nhow are you?")
    assert linus.texts(".text") == ["Hello Grace", "Hello Ada,\nhow are you?"] and linus.texts(".mine .text") == []
    for page in (ada, grace, linus):
        page.wait("document.querySelector('#count').innerText === '3 here'")
        assert page.texts("#here bdi") == ["Ada", "Grace", "Linus"]

    linus.close()
    for page in (ada, grace):
        note(page, "Linus left")
        page.wait("document.querySelector('#count').innerText === '2 here'")
        assert page.texts(".text") == ["Hello Grace", "Hello Ada,\nhow are you?"]


def test_what_people_write_is_never_markup(browser, server):
    evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>&amp;"
    name = "<b>\"'</b>"
    ada, eve = arrive(browser, server, "Ada"), arrive(browser, server, name)
    note(ada, f"{name} joined")
    say(eve, evil)
    hear(ada, evil)
    hear(eve, evil)
    for page in (ada, eve):
        assert page.evaluate("document.querySelectorAll('#log img, #log script, #log b, #here b, #me b').length") == 0
        assert page.evaluate("document.title") == "ugreenchat"
        assert name in page.texts("#here bdi")
    assert eve.texts("#me bdi") == [name]


def test_a_server_that_restarts(browser):
    port = free_port()
    with serve(http=f"127.0.0.1:{port}") as first:
        ada, grace = arrive(browser, first, "Ada"), arrive(browser, first, "Grace")
        say(ada, "before")
        hear(grace, "before")
        note(ada, "Grace joined")
        first.kill()

    for page in (ada, grace):
        page.wait("/^(Connection lost|Reconnecting)/.test(document.querySelector('#state').innerText) && document.querySelector('#state').className !== 'on'")
    ada.fill("#text", "while it was away")
    ada.press("#text", "Enter")
    ada.wait("document.querySelector('#unsaid').innerText.startsWith('The server cannot be reached')")
    assert ada.evaluate("document.querySelector('#text').value") == "while it was away"

    with chat(browser, http=f"127.0.0.1:{port}") as second:
        assert second.port == port
        for page in (ada, grace):
            page.wait(CONNECTED)
        ada.press("#text", "Enter")
        hear(grace, "while it was away")
        say(grace, "after")
        hear(ada, "after")
        for page in (ada, grace):
            assert page.texts(".text") == ["before", "while it was away", "after"]
            # What a browser says of a server that is not there.
            assert all("ERR_" in problem for problem in page.problems())


def test_a_connection_that_is_lost_for_a_while(browser, server):
    ada, grace = arrive(browser, server, "Ada"), arrive(browser, server, "Grace")
    say(grace, "one")
    hear(ada, "one")
    ada.offline(True)
    # The emulation refuses new connections only.
    ada.evaluate("connection.abort()")
    ada.wait("document.querySelector('#state').className === 'off'")
    note(grace, "Ada left")
    for text in ("two", "three"):
        say(grace, text)
    ada.offline(False)
    ada.wait(CONNECTED)
    hear(ada, "three")
    say(ada, "four")
    for page in (ada, grace):
        hear(page, "four")
        assert page.texts(".text") == ["one", "two", "three", "four"]
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in ada.problems())


def test_a_full_house(browser):
    with chat(browser, cores=5) as server:
        ada = arrive(browser, server, "Ada")
        late = browser.open("Late", server.url)
        late.fill("#name", "Late")
        late.press("#name", "Enter")
        late.wait("/^All 1 places are taken. Trying again in [1-5] s…$/.test(document.querySelector('#state').innerText + document.querySelector('#state').dataset.more)")
        ada.close()
        late.wait(CONNECTED)
        assert all("503" in problem for problem in late.problems())


def test_what_is_refused_is_told(browser, server):
    ada = browser.open("Ada", server.url)
    ada.press("#name", "Enter")
    ada.wait("document.querySelector('#unnamed').innerText === 'Please enter a name.'")
    ada.fill("#name", "A" * 33)
    ada.press("#name", "Enter")
    ada.wait("document.querySelector('#unnamed').innerText === 'The name has 33 characters, 1 too many.'")
    ada.fill("#name", "Ada")
    ada.press("#name", "Enter")
    ada.wait(CONNECTED)
    for text, why in ((" ", "The text is empty."), ("x" * 2001, "The text has 2001 characters, 1 too many.")):
        ada.fill("#text", text)
        ada.press("#text", "Enter")
        ada.wait(f"document.querySelector('#unsaid').innerText.trim() === '{why}'")
        assert ada.evaluate("document.querySelector('#text').value") == text, "what was written is kept"
    ada.fill("#text", "shorter")
    ada.wait("document.querySelector('#unsaid').innerText === ''")
    ada.click("#compose button")
    hear(ada, "shorter")
    assert ada.texts(".text") == ["shorter"] and all("400" in problem for problem in ada.problems())


def test_a_hidden_page_counts_in_its_title(browser, server):
    ada, grace = arrive(browser, server, "Ada"), arrive(browser, server, "Grace")
    hide = "Object.defineProperty(document, 'hidden', {{ value: {}, configurable: true }}), document.dispatchEvent(new Event('visibilitychange'))"
    ada.evaluate(hide.format("true"))
    say(grace, "one")
    say(grace, "two")
    ada.wait("document.title === '(2) ugreenchat'")
    ada.evaluate(hide.format("false"))
    assert ada.evaluate("document.title") == "ugreenchat"
    say(grace, "three")
    hear(ada, "three")
    assert ada.evaluate("document.title") == "ugreenchat"


def test_the_name_is_remembered_and_a_reload_is_no_farewell(browser, server):
    ada, grace = arrive(browser, server, "Ada"), arrive(browser, server, "Grace")
    note(ada, "Grace joined")
    say(grace, "hello")
    hear(ada, "hello")
    grace.reload()
    grace.wait(CONNECTED)
    assert grace.texts("#me bdi") == ["Grace"] and not grace.evaluate("document.querySelector('#door').open")
    say(grace, "back")
    hear(ada, "back")
    ada.wait("document.querySelector('#count').innerText === '2 here'")
    assert [line.split(" ·")[0] for line in ada.texts(".note:not(.day)")] == ["Ada joined", "Grace joined"]

    grace.click("#me")
    grace.fill("#name", "Admiral Hopper")
    grace.press("#name", "Enter")
    note(ada, "Admiral Hopper joined")
    note(ada, "Grace left")
    until(lambda: ada.texts("#here bdi") == ["Ada", "Admiral Hopper"], "the new name is here")


def test_reading_above_is_not_disturbed(browser, server):
    ada, grace = arrive(browser, server, "Ada", height=400), arrive(browser, server, "Grace")
    for i in range(15):
        say(grace, f"line {i}")
    hear(ada, "line 14")
    log = "document.querySelector('#log')"
    at_end = f"{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2"
    ada.wait(at_end)
    ada.evaluate(f"{log}.scrollTop = 0")
    say(grace, "below")
    ada.wait("document.querySelector('#below').innerText === '↓ 1 new'")
    assert ada.evaluate(f"{log}.scrollTop") == 0
    ada.click("#below")
    ada.wait(f"{at_end} && document.querySelector('#below').hidden")


def test_a_phone_and_the_dark(browser, server):
    page = arrive(browser, server, "A rather long name for a phone", width=340, height=600, phone=True, dark=True)
    say(page, "x" * 500)
    hear(page, "x" * 500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 340
    assert page.evaluate("(box => box.left >= 0 && box.right <= 340 && box.bottom <= 600 && box.height >= 40)(document.querySelector('#compose button').getBoundingClientRect())")
    page.evaluate("state('off', 'All 26 places are taken.', ' Trying again in 5 s…')")
    assert page.evaluate("document.querySelector('#state').getBoundingClientRect().top >= document.querySelector('#me').getBoundingClientRect().bottom"), "one does not hide the other"
    assert page.evaluate("document.documentElement.scrollWidth") <= 340
    assert page.evaluate("Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number))") < 40
    assert page.evaluate("getComputedStyle(document.querySelector('#text')).fontSize") == "16px", "smaller text makes phones zoom in"


def test_a_screen_reader_finds_its_way(browser, server):
    page = browser.open("Ada", server.url)
    assert 'dialog "Who are you?"' in page.aria() and 'textbox "Your name"' in page.aria()
    page.fill("#name", "Ada")
    page.press("#name", "Enter")
    page.wait(CONNECTED)
    say(page, "hello")
    hear(page, "hello")
    tree = page.aria()
    for what in ('heading "ugreenchat"', "status: Connected", 'log "Messages"', 'textbox "Your message"', 'button "Send"', 'complementary "Who is here"', "hello"):
        assert what in tree, tree


def test_the_picture_of_the_readme(browser, tmp_path):
    with chat(browser, app="examples.ugreenchat") as server:
        ada = arrive(browser, server, "Ada", width=860, height=640, scale=2)
        grace = arrive(browser, server, "Grace")
        say(ada, "Good morning! Is the engine running?")
        say(grace, "It is, for all of us: one process, one thread.")
        linus = arrive(browser, server, "Linus")
        say(linus, "And where does my request wait?")
        say(grace, "On its own stack, in the middle of an ordinary\nPython function.")
        say(ada, "Then I will leave this window open.")
        hear(ada, "Then I will leave this window open.")
        ada.wait("document.querySelector('#count').innerText === '3 here'")
        path = pathlib.Path(tmp_path) / "ugreenchat.png"
        ada.screenshot(path)
    assert struct.unpack(">II", path.read_bytes()[16:24]) == (1720, 1280)
    if os.environ.get("UGREEN_PICTURES"):
        PICTURE.write_bytes(path.read_bytes())
