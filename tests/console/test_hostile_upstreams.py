"""S-01 to S-12 for discovery: nothing inside is asked; operators read why, other people do not."""

import re
import socket

import pytest

from app.domain.connection_authorizations import UNREADY
from app.domain.connection_drafts import URL_SHAPE
from app.outbound import walks
from app.outbound.client import HEADROOM_BYTES
from tests.console.markup import texts
from tests.console.upstreaming import NEW
from tests.console.upstreaming import upstream as upstream
from tests.corpora.hostile_upstreams import HOSTILE, LEADING_INSIDE, UNASKED, UNREADABLE, Hostile
from tests.outbound.conftest import Resolver
from tests.outbound.conftest import authority as authority
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.sites import PATH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import drip, said, silent

ANSWER = re.compile(r'data-label="Answer">([^<]*)<')
NOTHING = "No authorization server was found"


@pytest.fixture
def dialled(monkeypatch):
    """Return the addresses that were connected to; only what listens here can be reached."""
    found, dial = [], socket.create_connection

    def connect(address, timeout):
        found.append(address)
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError
        return dial(address, timeout)

    monkeypatch.setattr(socket, "create_connection", connect)
    return found


@pytest.fixture
def resolves(app):
    """Return a function that says what every name leads to from now on; gives the resolver."""
    lookups = app.extensions["gatewright.outbound"].of_strangers

    def lead(*answers):
        lookups.resolve = Resolver(*answers)
        return lookups.resolve

    return lead


@pytest.fixture
def answers(upstream):
    """Return a function that lets the API answer so, and gives what the page says of each step."""
    upstream.make()

    def look(script):
        upstream.api.pages[f"GET {PATH}"] = upstream.api.pages[f"POST {PATH}"] = script
        return ANSWER.findall(upstream.do("discover").text)

    return look


def test_what_is_no_url_is_not_even_held(upstream, resolves, dialled, subtests):
    """S-01, S-02, S-11"""
    resolver = resolves(["10.0.0.1"])
    for rule, url in UNREADABLE.items():
        with subtests.test(rule):
            form = {"name": "notes", "url": url, "expiry_buffer_seconds": "60"}

            refused = upstream.send(upstream.admin, NEW, **form)

            assert refused.status_code == 422
            assert URL_SHAPE in texts(refused.text)
    assert resolver.asked == dialled == []


def test_what_leads_inside_is_not_asked_and_the_operator_reads_why(
    upstream, resolves, dialled, subtests
):
    """S-01, S-02, S-03, S-04"""
    for number, hostile in enumerate(HOSTILE):
        with subtests.test(hostile.name):
            resolver = resolves(hostile.found)

            page = upstream.make(name=f"n-{number}", url=hostile.url).do("discover").text

            assert NOTHING in page
            assert ANSWER.findall(page) == [hostile.reason]
            assert walks.AWAY in texts(page)
            assert (resolver.asked == []) == (hostile in UNASKED)
    assert dialled == []


def test_what_metadata_name_is_asked_no_more_than_what_people_enter(
    upstream, resolves, dialled, subtests
):
    """S-01, S-02, S-03, S-04: the issuer of a hostile API."""
    upstream.make()
    unreadable = [Hostile(rule, url, "") for rule, url in UNREADABLE.items()]
    for hostile in [*unreadable, *HOSTILE]:
        with subtests.test(hostile.name):
            resolves(hostile.found)
            upstream.api.describe_resource("/about", upstream.api.url, hostile.url)

            page = upstream.do("discover").text

            assert NOTHING in page
            is_asked = hostile.reason not in ("", "scheme")
            assert (hostile.reason in ANSWER.findall(page)) == is_asked
    assert set(dialled) == {("127.0.0.1", upstream.api.port)}
    assert upstream.login.asked == []


def test_a_name_that_leads_elsewhere_the_second_time_is_not_looked_up_again(
    upstream, resolves, dialled
):
    """S-04: rebinding"""
    resolver = resolves(["8.8.8.8"], ["127.0.0.1"])

    page = upstream.make(url="https://notes.example/mcp").do("discover").text

    assert ANSWER.findall(page) == ["network"]
    assert (len(resolver.asked), dialled) == (1, [("8.8.8.8", 443)])


def test_another_peer_than_the_checked_one_gets_nothing(upstream, endpoint, monkeypatch):
    """S-05"""
    server = endpoint(said(401))
    monkeypatch.setattr(
        socket.socket, "getpeername", lambda _: ("127.0.0.2", server.port), raising=False
    )

    page = upstream.make(url=server.url).do("discover").text

    assert ANSWER.findall(page) == ["address"]
    assert server.requests in ([], [b"\r\n\r\n"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_nowhere(upstream, answers, resolves, dialled, status):
    """S-06"""
    resolver = resolves(["8.8.8.8"])
    inside = upstream.login.origin
    for where in (f"{inside}/", "https://public.example/", "http://169.254.169.254/latest/"):
        elsewhere = said(status, extra=f"Location: {where}\r\nRefresh: 0; url={where}\r\n")
        assert answers(elsewhere)[:2] == ["redirect"] * 2

    assert upstream.login.asked == resolver.asked == []
    assert set(dialled) == {("127.0.0.1", upstream.api.port)}


def test_no_proxy_and_no_file_of_passwords_is_used(upstream, answers, monkeypatch, tmp_path):
    """S-07"""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, upstream.login.origin)
    (tmp_path / ".netrc").write_text("default login ann password c4n4ry")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert answers(said(200, {}))[:2] == ["200"] * 2
    assert upstream.login.asked == []
    assert b"\nauthorization:" not in b"".join(upstream.api.requests).lower()


def endless(head, again):
    """Return a script that sends more than is ever read."""

    def send(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        for _ in range(2 * HEADROOM_BYTES // len(again)):
            connection.sendall(again)

    return send


@pytest.mark.parametrize(
    "script, reason",
    [
        (endless(b"Content-Length: 1000000000\r\n\r\n", b"a" * 9999), "size"),
        (endless(b"\r\n", b"a" * 9999), "size"),
        (said(200, b"\x1f\x8b", extra="Content-Encoding: gzip\r\n"), "encoding"),
        (endless(b"", b"X-A: 1\r\n" * 99), "protocol"),
        (endless(b"X-A: ", b"a" * 9999), "protocol"),
    ],
    ids=["announced", "without-length", "gzip", "headers", "header-line"],
)
def test_an_answer_that_is_too_much_is_not_read(answers, script, reason):
    """S-08"""
    assert answers(script)[0] == reason


@pytest.mark.parametrize("script", [silent, drip], ids=["silence", "byte-by-byte"])
def test_a_slow_answer_is_given_up_and_its_host_asked_once(upstream, answers, monkeypatch, script):
    """S-09"""
    monkeypatch.setattr(walks, "REQUEST_SECONDS", 0.2)

    assert answers(script) == ["timeout"]
    assert len(upstream.api.requests) == 1


@pytest.mark.parametrize(
    "options",
    [{"self_signed": True}, {"days": -1}, {"name": "other.example"}, {"with_san": False}],
    ids=["self-signed", "expired", "wrong-name", "name-in-cn-only"],
)
def test_a_certificate_that_proves_nothing_ends_it(
    app, upstream, site, authority, resolves, options
):
    """S-10"""
    server, way_out = site(authority.context(**options)), app.extensions["gatewright.outbound"]
    way_out.allow, way_out.ca_file = {server.name}, authority.file
    resolves(["127.0.0.1"])

    page = upstream.make(url=server.url).do("discover").text

    assert ANSWER.findall(page) == ["tls"]
    assert server.requests == []


def test_no_cookie_and_no_credential_goes_along(upstream, answers):
    """S-11"""
    asks = "Set-Cookie: s=c4n4ry\r\nWWW-Authenticate: Basic\r\n"
    answers(said(200, {}, extra=asks))

    sent = b"".join(upstream.api.requests).lower()
    assert len(upstream.api.requests) > 3
    assert b"user-agent: gatewright" in sent
    assert not any(each in sent for each in (b"cookie", b"\nauthorization:", b"c4n4ry"))


def test_whom_it_is_for_reads_the_same_whatever_was_wrong(
    upstream, resolves, member, dialled, subtests
):
    """S-12"""
    for number, hostile in enumerate([*UNASKED[::9], *LEADING_INSIDE[::9], LEADING_INSIDE[-1]]):
        with subtests.test(hostile.name):
            resolves(hostile.found)
            name = f"n-{number}"
            upstream.make(name=name, url=hostile.url).do("discover")

            page = texts(member.get(f"/connections/{name}/").text)
            refused = upstream.send(upstream.admin, f"/connections/{name}/authorize")

            assert "It cannot be authorized yet; its operators have not finished it." in page
            assert walks.AWAY not in page
            assert (refused.status_code, UNREADY in texts(refused.text)) == (409, True)
