"""The logo of software: fetched once, looked at, and seen only when an operator says so."""

import pytest

from app.domain import credentials
from app.domain.raster_images import LARGEST_BYTES, REFUSED
from app.domain.software import Software
from app.domain.software_logos import CHANGED, SoftwareLogo
from app.extensions import db
from app.outbound.client import Answer
from tests.console.decisions import QUEUE, decision
from tests.console.markup import controls, texts
from tests.domain.pictures import jpeg, png
from tests.outbound.conftest import Resolver
from tests.outbound.conftest import authority as authority
from tests.outbound.conftest import serve as serve
from tests.outbound.conftest import way_to as way_to
from tests.protocol.vendors import Outside
from tests.services.gate import said

URI = "https://client.example/logo.png"
FIRST, SECOND = png(), png(shade=b"\x80")
POLICY = "default-src 'none'; sandbox"


def published(content):
    """Return the address under which people see a picture."""
    return f"/logos/{credentials.content_digest(content)}"


@pytest.fixture
def outside(app):
    """Return the fake outside, which has the first picture at every address."""
    fake = app.extensions["gatewright.outbound"] = Outside()
    fake.answer = Answer(200, {"content-type": "text/html"}, FIRST)
    return fake


@pytest.fixture
def row(register, find, catalogue):
    """Return software that waits and names a logo."""
    register(client_name="Pictured", logo_uri=URI)
    return find("Pictured")


@pytest.fixture
def do(approver, send, row):
    """Return a function that does something about the logo and gives the page after it."""

    def act(verb, content=FIRST):
        digest = credentials.content_digest(content)
        answer = send(approver, f"{QUEUE}{row.id}/{verb}-logo", digest=digest)
        assert answer.status_code == 303
        return approver.get(answer.location).text

    return act


def stored(app):
    """Return the bytes of each logo that is kept."""
    with app.app_context():
        return list(db.session.scalars(db.select(SoftwareLogo.content)))


def rename(app, row, uri):
    """Let software name another address of its logo."""
    with app.app_context():
        metadata = row.client_metadata | {"logo_uri": uri}
        db.session.execute(db.update(Software).values(client_metadata=metadata))
        db.session.commit()


def test_people_see_a_logo_of_approved_software_while_an_operator_lets_them(
    app, approver, client, csrf, row, do, outside, happened
):
    before = approver.get(f"{QUEUE}{row.id}").text
    fetched = do("fetch")
    (shown,) = controls(fetched, "img")
    preview = approver.get(shown["src"])
    steps = [client.get(published(FIRST)).status_code]
    assert "People see it where" in do("show")
    steps.append(client.get(published(FIRST)).status_code)
    approver.post(f"{QUEUE}{row.id}/approve", data=decision(csrf, approver, row))
    public = client.get(published(FIRST))
    do("hide")
    steps.append(client.get(published(FIRST)).status_code)

    assert "Fetch it" in before
    assert f"{URI} image/png, fetched" in texts(fetched)
    assert controls(before, "img") == []
    assert (outside.asked, steps) == ([URI], [404, 404, 404])
    for picture, cache in ((preview, "no-store"), (public, "public, max-age=31536000, immutable")):
        assert (picture.status_code, picture.data, picture.mimetype) == (200, FIRST, "image/png")
        assert picture.headers["Content-Security-Policy"] == POLICY
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert picture.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert picture.headers["Content-Disposition"] == "inline"
        assert picture.headers["Cache-Control"] == cache
        assert "Set-Cookie" not in picture.headers
    for verb in ("fetched", "shown", "hidden"):
        (event,) = happened(f"software.logo_{verb}")
        assert (event.subject, event.actor_name) == (row.id, "approver@example.org")
        assert event.detail["digest"] == credentials.content_digest(FIRST)
    assert len(repr(happened("software.logo_fetched")[0].detail)) < 500


def test_what_is_at_the_address_later_changes_nothing(app, client, do, outside):
    """X-44: nobody fetches by itself, and what is fetched again has to be looked at again."""
    do("fetch"), do("show")
    outside.answer = Answer(200, {}, SECOND)
    assert (stored(app), len(outside.asked)) == ([FIRST], 1)

    assert "Not shown" in do("fetch")

    assert CHANGED in texts(do("show", FIRST))
    assert "Shown to people" in do("show", SECOND)
    assert CHANGED in texts(do("show", SECOND))
    outside.answer = None
    assert "There is no logo to be had" in do("fetch")
    assert "Shown to people" in do("hide", FIRST)
    assert stored(app) == [SECOND]


def test_software_that_names_another_logo_is_not_shown_with_the_old_one(app, row, do, outside):
    do("fetch")
    rename(app, row, f"{URI}?2")

    assert controls(do("show"), "img") == []


def test_viewers_look_and_ask_nobody(viewer, send, do, row, outside):
    do("fetch")
    page = viewer.get(f"{QUEUE}{row.id}").text

    assert viewer.get(controls(page, "img")[0]["src"]).data == FIRST
    assert "Show it to people" not in page
    for verb in ("fetch", "show", "hide"):
        assert send(viewer, f"{QUEUE}{row.id}/{verb}-logo").status_code == 403
    assert outside.asked == [URI]


def test_software_without_a_logo_has_none_to_fetch(approver, send, register, find, outside):
    register(client_name="Plain")
    path = f"{QUEUE}{find('Plain').id}"

    assert 'aria-labelledby="logo"' not in approver.get(path).text
    send(approver, f"{path}/fetch-logo")
    assert "It names no logo." in texts(approver.get(path).text)
    assert send(approver, f"{QUEUE}unknown/fetch-logo").status_code == 404
    assert send(approver, f"{QUEUE}unknown/show-logo").status_code == 404
    assert outside.asked == []


def test_a_logo_goes_with_its_software(app, approver, send, row, do, outside):
    do("fetch")
    with app.app_context():
        long_ago = {"status": "expired", "decided_at": 1, "last_seen_at": 1}
        db.session.execute(db.update(Software).values(**long_ago))
        db.session.commit()

    send(approver, f"{QUEUE}{row.id}/forget")

    assert approver.get(f"{QUEUE}{row.id}").status_code == 404
    assert stored(app) == []


ANSWERS = {
    "an SVG": (said(200, b"<svg onload='x()'/>", "image/png"), REFUSED),
    "HTML behind a picture": (said(200, png() + b"<script>", "image/png"), REFUSED),
    "a GIF": (said(200, b"GIF89a\1\0\1\0\0\0\0;", "image/gif"), REFUSED),
    "257 KB": (said(200, bytes(LARGEST_BYTES + 1024), "image/png"), REFUSED),
    "nothing": (said(404, png(), "image/png"), "It answered another status than 200."),
    "another place": (said(302, extra=f"Location: {URI}\r\n"), "redirects are not followed"),
    "a packed picture": (said(200, png(), extra="Content-Encoding: gzip\r\n"), "is compressed"),
}


def test_what_strangers_answer_is_no_logo_unless_it_is_a_picture(
    app, do, row, serve, authority, way_to, subtests
):
    """S-06, S-08, X-32: over the real way out."""
    said_now = [b""]
    server = serve(lambda taken: taken.sendall(said_now[0]), authority.context())
    way = app.extensions["gatewright.outbound"] = way_to(server)
    rename(app, row, f"https://client.example:{server.port}/l.svg")
    for name, (answer, sentence) in ANSWERS.items():
        with subtests.test(name):
            said_now[0] = answer
            assert sentence in texts(do("fetch"))
            assert stored(app) == []
    with subtests.test("a picture under another name"):
        said_now[0] = said(200, jpeg(), "text/html")
        assert "Fetched." in do("fetch")
        assert (stored(app), b"Cookie" in server.requests[-1]) == ([jpeg()], False)
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        with subtests.test(inside):
            way.allow, way.of_strangers.resolve = frozenset(), Resolver([inside])
            rename(app, row, "https://inside.example/l.png")
            assert "has an address that is not public" in texts(do("fetch"))
