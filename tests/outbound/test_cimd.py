"""Fetching documents: what is one, who waits for whom, and how long a failure is remembered."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.outbound import cimd
from app.outbound.cimd import Document, Documents, max_age
from app.outbound.client import Answer
from app.outbound.errors import OutboundError

MAXIMUM = 5120


@pytest.fixture
def publish(serve, way_to, authority):
    """Return a function that publishes an answer; it gives server, URL and the way to it."""

    def start(script, at_once=cimd.AT_ONCE):
        server = serve(script, tls=authority.context())
        documents = Documents(way_to(server), MAXIMUM, at_once)
        return server, f"https://client.example:{server.port}/client.json", documents

    return start


def answer(body=b'{"client_id": "x"}', status="200 OK", **headers):
    """Write an answer."""
    sent = {"Content_Type": "application/json", "Content_Length": str(len(body))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in sent.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def fetch(documents, url):
    """Fetch a document in one's turn."""
    with documents.turn(url):
        return documents.fetch(url)


def reason_of(documents, url):
    """Return why a document could not be had."""
    with pytest.raises(OutboundError) as raised:
        fetch(documents, url)
    return raised.value.reason


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/oauth-client-metadata+json",
        "application/vnd.example.v1+json ; profile=x",
    ],
)
def test_a_document_is_a_json_object(publish, media_type):
    server, url, documents = publish(answer(Content_Type=media_type, Cache_Control="max-age=60"))

    assert fetch(documents, url) == Document({"client_id": "x"}, 60)
    assert b"GET /client.json HTTP/1.1\r\n" in server.requests[0]
    assert b"Accept: application/json\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "script, reason",
    [
        (answer(status="201 Created"), "answer"),
        (answer(status="203 Non-Authoritative Information"), "answer"),
        (answer(status="206 Partial Content"), "answer"),
        (answer(status="302 Found", Location="https://client.example/"), "redirect"),
        (answer(status="404 Not Found"), "answer"),
        (answer(Content_Type="text/html"), "answer"),
        (answer(Content_Type="text/json"), "answer"),
        (answer(Content_Type="application/jsonp"), "answer"),
        (answer(content_type="application/json"), "answer"),
        (answer(b'{"a": 1, "a": 2}'), "answer"),
        (answer(b'{"a": NaN}'), "answer"),
        (answer(b'"text"'), "answer"),
        (answer(b"\xff"), "answer"),
        (answer(b""), "answer"),
        (answer(b"{" + b" " * MAXIMUM + b"}"), "size"),
        (answer(Content_Encoding="gzip"), "encoding"),
        (b"nonsense\r\n\r\n", "protocol"),
    ],
)
def test_anything_else_is_a_failure(publish, script, reason):
    """N-191."""
    _, url, documents = publish(script)

    assert reason_of(documents, url) == reason


def test_exactly_the_allowed_size_is_read(publish):
    _, url, documents = publish(answer(b"{" + b" " * (MAXIMUM - 2) + b"}"))

    assert fetch(documents, url).members == {}


def test_a_document_is_not_fetched_twice_in_a_minute(publish, clock):
    server, url, documents = publish(answer())
    fetch(documents, url)
    clock.advance(cimd.RECENT_SECONDS - 1)
    fetch(documents, url)
    assert len(server.requests) == 1
    clock.advance(1)
    fetch(documents, url)

    assert len(server.requests) == 2


def test_the_pause_after_failures_grows_to_a_minute_and_ends_with_a_success(publish, clock):
    server, url, documents = publish(answer(status="500 No"))
    for pause in (5, 10, 20, 40, 60, 60):
        assert reason_of(documents, url) == "answer"
        clock.advance(pause - 1)
        before = len(server.requests)
        assert reason_of(documents, url) == "answer"
        assert len(server.requests) == before
        clock.advance(1)
    server.script = answer()
    fetch(documents, url)
    clock.advance(cimd.RECENT_SECONDS)
    server.script = answer(status="500 No")
    reason_of(documents, url)
    clock.advance(cimd.FIRST_PAUSE_SECONDS)
    before = len(server.requests)
    reason_of(documents, url)

    assert len(server.requests) == before + 1


def test_what_turns_out_to_be_no_document_is_a_failure(publish, clock):
    server, url, documents = publish(answer())
    fetch(documents, url)
    documents.distrust(url)

    assert reason_of(documents, url) == "answer"
    clock.advance(cimd.FIRST_PAUSE_SECONDS)
    fetch(documents, url)
    assert len(server.requests) == 2


def test_sixteen_who_ask_at_once_share_one_fetch(publish):
    """N-194."""
    server, url, documents = publish(answer(), at_once=16)
    start = threading.Barrier(16)

    def ask(_):
        start.wait()
        return fetch(documents, url)

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(ask, range(16)))

    assert found == [Document({"client_id": "x"}, None)] * 16
    assert len(server.requests) == 1
    assert documents.turns == {}


def test_who_finds_no_place_is_told_at_once_and_nothing_is_remembered(publish):
    """F-31, S-13: a host that hangs holds some threads, never all."""
    server, url, documents = publish(answer(), at_once=1)
    with documents.turn("https://hangs.example/client.json"):
        assert documents.is_in_hand("https://hangs.example/client.json")
        assert reason_of(documents, url) == "busy"

    assert fetch(documents, url)
    assert len(server.requests) == 1


def test_who_waits_too_long_for_a_turn_gives_up(publish, monkeypatch):
    monkeypatch.setattr(cimd, "WAIT_SECONDS", 0.01)
    _, url, documents = publish(answer())
    with documents.turn(url), ThreadPoolExecutor(1) as threads:
        assert threads.submit(reason_of, documents, url).result() == "busy"

    assert documents.turns == {}
    assert fetch(documents, url)


def test_a_turn_ends_with_whatever_goes_wrong(publish):
    _, url, documents = publish(answer(), at_once=1)
    with pytest.raises(ZeroDivisionError), documents.turn(url):
        raise ZeroDivisionError

    assert not documents.is_in_hand(url)
    assert fetch(documents, url)


def test_only_so_many_urls_are_remembered(publish, monkeypatch):
    monkeypatch.setattr(cimd, "KEPT", 3)
    _, url, documents = publish(answer(status="500 No"))
    for number in range(5):
        reason_of(documents, f"{url}/{number}")

    assert list(documents.outcomes) == [f"{url}/{number}" for number in (2, 3, 4)]


@pytest.mark.parametrize(
    "said, seconds",
    [
        ("", None),
        ("public", None),
        ("max-age=60", 60),
        ('public, MAX-AGE="60"', 60),
        ("max-age = 60", 60),
        ("s-maxage=10, max-age=60", 60),
        ("max-age=60, max-age=30", 30),
        ("max-age=", None),
        ("max-age=-1", None),
        ("max-age=99999999999", None),
        ("xmax-age=60", None),
        ("no-store", 0),
        ("max-age=60, no-cache", 0),
        ("public,no-store", 0),
        ("x-no-store", None),
    ],
)
def test_what_a_server_says_about_keeping_is_read(said, seconds):
    assert max_age(Answer(200, {"cache-control": said}, b"")) == seconds
