"""When a document is fetched, how often at most, and what goes on while it cannot be had."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import BoundedSemaphore, Event, Lock

import pytest

from app.domain.client_documents import ClientDocument
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db
from tests.protocol.document_clients import DAY, HOUR, LOOPBACK, count
from tests.protocol.document_clients import approved as approved
from tests.protocol.document_clients import codex as codex
from tests.protocol.document_clients import operator as operator
from tests.protocol.document_clients import put_in_force as put_in_force
from tests.protocol.documents import CODEX, UNUSABLE, is_refused_here, is_waiting
from tests.protocol.documents import app as app
from tests.protocol.documents import authority as authority
from tests.protocol.documents import host as host
from tests.protocol.documents import limits as limits
from tests.protocol.documents import overrides as overrides
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import new_http


def known_of(app, machine):
    """Return what is known of a document."""
    with app.app_context():
        return db.session.get(ClientDocument, machine.client_id)


@pytest.mark.parametrize("max_age, seconds", [("60", 300), (None, HOUR)])
def test_a_document_is_fetched_again_when_its_time_is_over(
    app, host, client, person, clock, max_age, seconds
):
    """N-194: within bounds of ours."""
    said = {"Cache_Control": f"public, max-age={max_age}"} if max_age else {}
    machine = Machine(client, host.put(CODEX, **said), redirect_uri=LOOPBACK)
    person.open(machine.asking())
    clock.advance(seconds - 1)
    person.open(machine.asking())
    assert len(host.asked) == 1
    clock.advance(1)
    person.open(machine.asking())

    assert len(host.asked) == 2
    assert count(app, Client) == count(app, Software) == 1


def test_a_refused_document_is_fetched_once_a_minute(codex, host, person, put_in_force, clock):
    """N-196: no amplifier, whatever becomes of what was fetched."""
    put_in_force(name="no", outcome="refuse", when={"name": "codex"})
    for _ in range(3):
        assert is_refused_here(person.open(codex.asking()), 403)
    assert len(host.asked) == 1
    clock.advance(60)
    person.open(codex.asking())

    assert len(host.asked) == 2


def test_approved_software_goes_on_for_a_day_while_its_document_is_away(
    app, approved, host, person, clock
):
    host.put(b"", status=503)
    clock.advance(HOUR)
    assert person.tokens(approved)
    known = known_of(app, approved)
    assert (known.failed_at, known.failure) == (clock.now, "answer")
    clock.advance(DAY - 1)
    assert person.open(approved.asking()).status_code == 200
    clock.advance(1)
    assert is_refused_here(person.open(approved.asking()), 400, UNUSABLE)

    host.put(CODEX)
    clock.advance(60)
    assert person.tokens(approved)
    assert known_of(app, approved).failure is None


def test_what_is_not_approved_does_not_go_on_without_its_document(codex, host, person, clock):
    person.open(codex.asking())
    host.put(b"", status=503)
    clock.advance(HOUR)

    assert is_refused_here(person.open(codex.asking()), 400, UNUSABLE)


def test_a_failure_is_told_alike_kept_nowhere_and_paused(app, codex, host, person, clock):
    """N-194, S-12."""
    host.put(b"", status=500)
    for _ in range(3):
        assert is_refused_here(person.open(codex.asking()), 400, UNUSABLE)
    assert len(host.asked) == 1
    assert count(app, Client) == count(app, ClientDocument) == 0
    host.put(CODEX)
    clock.advance(5)

    assert is_waiting(person.open(codex.asking()))


def test_a_document_that_went_bad_is_a_document_that_is_away(approved, host, person, clock):
    host.put(CODEX | {"client_secret": "s"})
    clock.advance(HOUR)
    assert person.tokens(approved)
    clock.advance(DAY)

    assert person.open(approved.asking()).status_code == 400


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
def test_other_endpoints_fetch_nothing(codex, host, path):
    answer = codex.post(path, token="x", grant_type="refresh_token", refresh_token="x")

    assert_refused(answer, "invalid_client")
    assert host.asked == []


def test_a_stopped_client_s_document_is_left_alone(approved, host, person, operator, clock):
    operator.block(approved)
    clock.advance(HOUR)

    assert is_refused_here(person.open(approved.asking()), 400, "not active")
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "limits", [{"rate_limit_enabled": True, "registration_rate_limit": "8 per minute"}]
)
def test_first_sights_of_one_address_are_limited(codex, host, person, clock):
    """N-196: without Redis a process of four allows its part; here there is one."""
    host.put(b"", status=500)
    pages = [person.open(codex.asking()) for _ in range(9)]

    assert [page.status_code for page in pages] == [400] * 8 + [429]
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert len(host.asked) == 1


def ask_at_once(app, machine, how_many):
    """Send so many requests at the same time."""

    def ask(_):
        return new_http(app).get(machine.asking())

    with ThreadPoolExecutor(how_many) as threads:
        return list(threads.map(ask, range(how_many)))


def test_sixteen_who_ask_at_once_cause_one_fetch_and_one_client(app, codex, host, operator):
    """N-194."""
    app.extensions["gatewright.documents"].places = BoundedSemaphore(16)

    pages = ask_at_once(app, codex, 16)

    assert [is_waiting(page) for page in pages] == [True] * 16
    assert host.asked == ["/oauth/client.json"]
    assert count(app, Client) == count(app, Software) == 1


def test_two_processes_that_see_it_at_once_make_one_client(app, codex, host, monkeypatch):
    """The turn of a process does not hold others, so the second finds the row taken."""
    documents = app.extensions["gatewright.documents"]
    monkeypatch.setattr(documents, "_queued", lambda _url: nullcontext(Lock()))
    monkeypatch.setattr(documents, "is_in_hand", lambda _url: False)
    host.released = Event()
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(new_http(app).get, codex.asking()) for _ in range(2)]
        while len(host.asked) < 2:
            time.sleep(0.01)
        host.released.set()

    assert [is_waiting(each.result()) for each in both] == [True, True]
    assert count(app, Client) == count(app, Software) == 1


def test_a_host_that_hangs_holds_only_who_fetches_from_it(app, approved, host, clock):
    """F-31: who can be served is served while one is asking."""
    clock.advance(HOUR)
    host.released = Event()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(new_http(app).get, approved.asking())
        while len(host.asked) < 2:
            time.sleep(0.01)
        pages = [new_http(app).get(approved.asking()) for _ in range(3)]
        host.released.set()

    assert [page.status_code for page in [*pages, first.result()]] == [200] * 4
    assert len(host.asked) == 2
