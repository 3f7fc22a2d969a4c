"""Test now: each request and answer is shown without credentials, each failure is explained."""

import pytest

from app.domain import connections
from app.domain.connection_drafts import Draft
from app.exits import OK
from app.extensions import db
from app.outbound import connection_trials
from app.outbound.connection_trials import EARLY, ELSEWHERE, ENDED
from app.outbound.errors import OutboundError
from app.outbound.failures import REASONS
from tests.console.markup import controls, texts
from tests.console.trying import QUOTED, SECRET, TOKEN
from tests.console.trying import endpoint as endpoint
from tests.console.trying import tried as tried
from tests.corpora.token_failures import CASES
from tests.outbound.failing import authority as authority
from tests.outbound.failing import failing as failing
from tests.outbound.sites import OAUTH
from tests.outbound.sites import site as site
from tests.protocol.vendors import KEYS, jws, key_set
from tests.services.gate import said, token_answer


def test_a_test_shows_what_was_sent_and_answered_without_any_credential(
    endpoint, tried, happened, app
):
    server = endpoint(token_answer(TOKEN, refresh_token="r3fr3sh", note=f"you sent {SECRET}"))

    page = tried(server.url)

    shown = texts(page)
    assert "It works A token was got." in shown
    assert f"POST {server.url} Content-Type: application/x-www-form-urlencoded" in shown
    assert "Authorization: Basic ***" in shown
    assert "grant_type=client_credentials&scope=a+b" in shown
    assert '"access_token": "***"' in shown
    assert '"note": "you sent ***"' in shown
    assert "The access token is no JWT" in shown
    assert not any(each in page for each in (*QUOTED, TOKEN, "r3fr3sh"))
    (event,) = happened("connection.tested")
    assert (event.detail, event.actor_name) == (
        {"name": "billing", "failure": ""},
        "admin@example.org",
    )
    with app.app_context():
        assert connections.get("billing").last_used_at is None, "nobody uses that token"


def test_no_transaction_is_open_while_the_other_server_is_asked(endpoint, tried, monkeypatch):
    make = connection_trials.make

    def watched(*given):
        assert not db.session().in_transaction()
        return make(*given)

    monkeypatch.setattr(connection_trials, "make", watched)

    assert "It works" in texts(tried(endpoint(token_answer(TOKEN)).url))


def test_each_failure_is_explained_with_what_to_do(
    app, tried, failing, happened, monkeypatch, subtests
):
    way_out = app.extensions["gatewright.outbound"]
    for case in CASES:
        with subtests.test(case.name):
            url, name = failing(case)
            way_out.allow = {name}
            monkeypatch.setattr(connection_trials, "SECONDS", case.seconds)

            page = tried(url, case.name)

            shown = texts(page)
            assert case.says in shown
            assert case.advises in shown
            told = f"In the log and the audit trail: {case.code}" in shown
            assert told == (case.exit_code != OK)
            assert happened("connection.tested")[0].detail["failure"] == case.code
            assert not any(each in page for each in QUOTED)


@pytest.mark.parametrize("keys, said_of_it", [("ES256", "is that of"), ("RS256", "is not that")])
def test_the_token_of_an_issuer_is_taken_apart_and_its_signature_checked(
    app, site, tried, keys, said_of_it
):
    server = site()
    app.extensions["gatewright.outbound"].allow |= {server.name}
    metadata = {"issuer": server.origin, "token_endpoint": f"{server.origin}/t"}
    server.pages[OAUTH] = said(200, metadata | {"jwks_uri": f"{server.origin}/keys"})
    server.pages["/keys"] = said(200, key_set(keys))
    claims = {"iss": server.origin, "aud": "<b>all</b>", "exp": 2**31}
    token = jws({"alg": "ES256", "typ": "at+jwt"}, claims, KEYS["ES256"], "ES256")
    server.pages["POST /t"] = token_answer(token)

    page = tried("", issuer=server.origin)

    shown = texts(page)
    assert "The document describes this issuer and everything needed is there." in shown
    assert said_of_it in shown.partition("Its signature")[2][:30]
    assert '"typ": "at+jwt"' in shown
    assert "&lt;b&gt;all&lt;/b&gt;" in page
    assert "2038-01-19" in shown
    assert token not in page
    assert shown.count("Request as sent") == 2


def test_a_token_that_others_would_refuse_is_doubted(endpoint, tried, clock, subtests):
    now = clock.now
    table = {
        "fits": ({"aud": ["a", "https://api.example/"], "iat": now, "exp": now + 9}, ()),
        "names no audience": ({"exp": now + 9}, ()),
        "for another audience": ({"aud": "https://other.example/"}, (ELSEWHERE,)),
        "ended": ({"exp": now}, (ENDED,)),
        "issued in the future": ({"iat": now + 61, "exp": now + 99}, (EARLY,)),
        "not valid yet": ({"nbf": now + 61.5}, (EARLY,)),
        "no dates": ({"iat": "soon", "exp": None, "nbf": [1]}, ()),
    }
    for name, (claims, doubts) in table.items():
        with subtests.test(name):
            token = jws({"alg": "ES256"}, claims, KEYS["ES256"], "ES256")
            url = endpoint(token_answer(token)).url
            shown = texts(tried(url, name.replace(" ", "-"), resource="https://api.example/"))
            for doubt in (ELSEWHERE, ENDED, EARLY):
                assert (f"{doubt.sentence} {doubt.advice}" in shown) is (doubt in doubts)


def test_without_an_issuer_the_page_says_that_no_key_is_known(endpoint, tried):
    token = jws({"alg": "ES256"}, {"iss": "x"}, KEYS["ES256"], "ES256")

    assert "names no issuer knows no keys" in texts(tried(endpoint(token_answer(token)).url))


def test_an_issuer_without_metadata_is_explained_step_by_step(app, site, tried):
    server = site()
    app.extensions["gatewright.outbound"].allow |= {server.name}

    shown = texts(tried("", issuer=server.origin))

    assert REASONS["metadata"].sentence in shown
    assert shown.count("There is no document here.") == 2


@pytest.mark.parametrize(
    "answer",
    [
        said(200, f"access_token={TOKEN}&token_type=Bearer".encode(), "text/plain"),
        said(200, f'["access_token": "{TOKEN}"'.encode()),
        said(400, f'{{"error": "x", "deep": [{{"id_token": "{TOKEN}"}}]}}'.encode()),
        said(200, {"access_token": TOKEN, "echo": TOKEN}, extra=f"Set-Cookie: s={TOKEN}\r\n"),
    ],
)
def test_a_token_is_hidden_in_whatever_shape_it_comes(endpoint, tried, answer):
    page = tried(endpoint(answer).url)

    assert "***" in page
    assert TOKEN not in page


def test_a_server_without_a_key_says_so(endpoint, tried, app):
    def sign(_claims):
        raise OutboundError("token")

    app.extensions["gatewright.connections"].sign = sign
    page = tried(endpoint().url, auth_method="private_key_jwt", client_secret="")

    assert "This server has no key to sign with." in texts(page)


def test_a_connection_of_the_environment_can_be_tested(app, admin, send, endpoint):
    server = endpoint(token_answer(TOKEN))
    draft = Draft(token_endpoint=server.url, client_id="us", client_secret=SECRET)
    with app.app_context():
        connections.adopt({"set": draft})
        db.session.commit()
        address = f"/admin/connections/{connections.get('set').id}"

    other = send(admin, f"{address}/test")
    assert other.status_code == 409
    assert "restart it with the settings of the others" in texts(other.text)
    app.extensions["gatewright.connections"].environment = {"set": draft}
    page = send(admin, f"{address}/test").text

    assert "It works" in texts(page)
    assert controls(page, "form", action=f"{address}/test")
    assert not any(each in page for each in QUOTED)
