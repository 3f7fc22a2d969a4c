"""What every answer carries, and what a fault of ours gives away (security.md section 2.1)."""

import pytest
from werkzeug.exceptions import InternalServerError, ServiceUnavailable, UnsupportedMediaType

from tests.conftest import ISSUER
from tests.protocol.machines import assert_refused, form, send
from tests.protocol.test_parameters import KNOWN, MACHINES, sent


def test_an_unknown_path_of_a_machine_is_answered_in_json(client):
    """N-002"""
    for path in ("/token/x", "/.well-known/nothing", "/.well-known/", "/clients/", "/clients"):
        assert_refused(client.get(path), "not_found", 404)
    assert client.get("/nothing").mimetype == "text/html"


ONCE = {"rate_limit_enabled": True, "registration_address_rate_limit": "1 per minute"}


@pytest.mark.parametrize("overrides", [ONCE])
def test_a_limit_is_answered_with_the_time_to_wait(client, clock):
    """N-016"""
    answers = [client.post("/register", json={}) for _ in range(2)]

    assert answers[0].status_code == 400
    assert_refused(answers[1], "temporarily_unavailable", 429)
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("SELECT secret FROM canary at /srv/canary.py"),
        InternalServerError("canary"),
        ServiceUnavailable("canary"),
        UnsupportedMediaType("canary"),
    ],
)
def test_a_fault_of_ours_says_nothing_but_a_request_id(
    app, confidential, monkeypatch, written_log, fault
):
    """N-002, N-018: the id is in the answer and in the log."""

    def fail(*_arguments, **_named):
        raise fault

    app.testing = False
    monkeypatch.setattr("app.protocol.caller.approved", fail)

    response = sent(confidential, form(KNOWN))

    assert response.status_code == getattr(fault, "code", 500)
    assert response.get_json().keys() == {"error", "error_description"}
    assert "canary" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-Id"] in written_log.getvalue()


REQUEST_IDS = [("abcd-1234.X_z", True), ("short", False), ("a" * 65, False), ("a b" * 5, False)]


@pytest.mark.parametrize("sent_id,kept", REQUEST_IDS)
def test_a_plain_request_id_is_kept_and_another_replaced(client, sent_id, kept, audited):
    """N-018"""
    response = client.post("/token", headers={"X-Request-Id": sent_id})

    answered = response.headers["X-Request-Id"]
    assert (answered == sent_id) is kept
    assert len(answered) >= 8
    assert audited("request.refused")[-1].request_id == answered


def test_every_answer_forbids_sniffing_and_demands_https(client):
    """N-002, N-014"""
    for path in ("/token", "/authorize", "/login", "/.well-known/jwks.json", "/nothing"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_every_page_refuses_frames_and_foreign_content(client):
    """N-001, N-012, N-013"""
    for path in ("/authorize", "/login", "/", "/setup", "/nothing"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_a_host_header_changes_no_published_address(client):
    """N-015, X-70"""
    evil = {"X-Forwarded-Host": "attacker.example", "X-Forwarded-Proto": "http"}
    answer = client.get(
        "/.well-known/openid-configuration", base_url="https://attacker.example", headers=evil
    )

    assert "attacker" not in answer.text
    assert answer.get_json()["issuer"] == ISSUER


def test_machine_answers_set_no_cookie(confidential):
    for path in MACHINES:
        assert "Set-Cookie" not in sent(confidential, form(KNOWN), path=path).headers
    assert "Set-Cookie" not in send(confidential.http, "/token", {}).headers
