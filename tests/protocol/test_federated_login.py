"""Sign-in at an identity provider, from the button to the session here."""

import pytest

from app.domain import (
    federated_identities,
    foreign_id_tokens,
    retention,
    sign_in_attempts,
    users,
)
from app.domain.audit import SERVER
from app.domain.foreign_id_tokens import FAILED
from app.domain.sign_in_attempts import MIXED_UP, STALE
from app.extensions import db
from app.outbound import upstream_metadata
from app.protocol.proven_claims import OTHER_PERSON
from tests.protocol.persons import new_http
from tests.protocol.providers import ACCESS, CODE, ISSUER, SECRET, Provider, going_to
from tests.protocol.test_login import COOKIE

CANARY = "c4n4ry-of-the-answer"


@pytest.fixture
def provider(app):
    """Return a provider that is offered on the sign-in page."""
    return Provider(app).attach(title="Acme staff")


@pytest.fixture
def http(app):
    """Return the browser of nobody in particular."""
    return new_http(app)


@pytest.fixture
def failures(audited):
    """Return a function that gives the reason of each failed sign-in."""
    return lambda: [event.detail["reason"] for event in audited("user.sign_in_failed")]


def account(app, email="pia@example.org"):
    """Return an account as it is now."""
    with app.app_context():
        return users.find_by_email(email)


def whose(http):
    """Return who is signed in, by the page about their sign-in; None without."""
    page = http.get("/account/identities")
    return None if page.status_code == 303 else page.text.split("Signed in as")[1][:200]


def told(http, response):
    """Return the text of the sign-in page that a failure leads to."""
    assert response.status_code == 303
    return http.get(response.location).text


def test_a_newcomer_gets_an_account_and_goes_on_where_they_wanted(app, provider, http, audited):
    page = http.get("/login?next=/device")
    assert "Continue with Acme staff" in page.text
    sent = provider.begin(http, page)

    answer = provider.come_back(http, sent)

    assert going_to(answer) == "/device"
    user = account(app)
    assert (user.name, user.role, user.password_hash) == ("Pia P.", "member", None)
    assert "pia@example.org" in whose(http)
    (event,) = audited("user.signed_in")
    assert (event.subject, event.detail["methods"]) == (user.id, [])
    (used,) = audited("user.identity_used")
    assert (used.actor_id, used.detail["provider"]) == (user.id, "acme")
    (made,) = audited("user.created")
    assert (made.actor_kind, made.actor_name) == ("server", "identity provider acme")


def test_the_code_is_redeemed_with_what_was_sent(provider, http):
    sent = provider.begin(http)
    provider.come_back(http, sent)

    [form] = provider.redeemed()
    assert sent["code_challenge_method"] == "S256"
    assert (sent["scope"], sent["response_type"]) == ("openid email profile", "code")
    assert form["redirect_uri"] == [sent["redirect_uri"]]
    assert sent["redirect_uri"] == "https://gatewright.example/login/callback/acme"
    assert form["code"] == [CODE]
    assert len(form["code_verifier"][0]) >= 43


def test_the_original_request_of_an_app_goes_on(provider, public, app):
    http = new_http(app)
    sent = provider.begin(http, http.get(public.asking()))

    after = going_to(provider.come_back(http, sent))

    assert after.startswith("/authorize?")
    assert 'value="allow"' in http.get(after).text


def test_whoever_comes_again_has_the_same_account_whatever_their_address(app, provider, http):
    provider.sign_in(http)
    first = account(app).id
    provider.sign_in(new_http(app), email="other@example.org")

    assert account(app, "other@example.org") is None
    with app.app_context():
        [identity] = federated_identities.of_user(first)
        assert (identity.issuer, identity.subject) == (ISSUER, "pia-there")


def test_signing_in_gives_a_new_cookie_and_the_planted_one_stays_anonymous(app, provider, http):
    """X-66"""
    sent = provider.begin(http)
    planted = http.get_cookie(COOKIE, domain="gatewright.example").value
    provider.come_back(http, sent)
    other = new_http(app)
    other.set_cookie(COOKIE, planted, domain="gatewright.example", secure=True)

    assert http.get_cookie(COOKIE, domain="gatewright.example").value != planted
    assert whose(other) is None
    assert whose(http)


def test_an_answer_counts_once_and_only_in_the_browser_that_began(app, provider, http, failures):
    sent = provider.begin(http)
    stranger = provider.come_back(new_http(app), sent)
    provider.come_back(http, sent)
    again = provider.come_back(http, sent)

    assert [each.status_code for each in (stranger, again)] == [303, 303]
    assert failures() == [STALE, STALE]
    assert len(provider.redeemed()) == 1


def test_an_answer_comes_in_time_and_late_attempts_are_purged(app, provider, http, clock, failures):
    sent = provider.begin(http)
    clock.advance(601)

    assert FAILED in told(http, provider.come_back(http, sent))
    assert failures() == [STALE]
    with app.app_context():
        assert retention.purge()["sign-in attempts"] == 1


def test_an_answer_at_the_redirect_uri_of_another_provider_is_a_mix_up(provider, http, failures):
    provider.hold("other")
    sent = provider.begin(http)
    sent["redirect_uri"] = sent["redirect_uri"].replace("acme", "other")

    provider.come_back(http, sent)

    assert (failures(), provider.redeemed()) == ([MIXED_UP], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"code": None, "error": "access_denied", "error_description": CANARY},
        {"code": None, "error": CANARY},
        {"code": None},
        {"code": "\u00e4"},
    ],
)
def test_an_answer_without_a_code_of_this_provider_is_told_in_a_sentence_of_ours(
    provider, http, failures, changes
):
    page = told(http, provider.come_back(http, provider.begin(http), **changes))

    assert FAILED in page
    assert CANARY not in page + str(failures())
    assert (len(failures()), provider.redeemed()) == (1, [])


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"nonce": "another"}, foreign_id_tokens.OTHER_NONCE),
        ({"iss": "https://evil.example"}, foreign_id_tokens.OTHER_ISSUER),
        ({"aud": "another"}, foreign_id_tokens.OTHER_AUDIENCE),
        ({"at_hash": "another"}, foreign_id_tokens.OTHER_ACCESS_TOKEN),
    ],
)
def test_an_id_token_of_another_sign_in_signs_nobody_in(
    app, provider, http, failures, changes, reason
):
    assert FAILED in told(http, provider.sign_in(http, **changes))
    assert failures() == [reason]
    assert (whose(http), account(app)) == (None, None)


def test_a_token_answer_without_an_id_token_signs_nobody_in(provider, http, failures, monkeypatch):
    answer = {"access_token": ACCESS, "token_type": "Bearer"}
    monkeypatch.setattr(provider, "tokens", lambda: answer)

    assert FAILED in told(http, provider.sign_in(http))
    assert failures() == [foreign_id_tokens.MALFORMED]


def test_what_an_id_token_leaves_out_is_asked_of_userinfo(app, provider, http, failures):
    provider.metadata = {"userinfo_endpoint": f"{ISSUER}/userinfo"}
    provider.told = {"sub": "somebody else", "email": "pia@example.org"}
    provider.sign_in(http, email=None)
    assert failures() == [OTHER_PERSON]

    provider.told = {"sub": "pia-there", "email": "pia@example.org", "iss": "ignored"}
    provider.sign_in(http, email=None)
    assert account(app) is not None


def test_nothing_is_lost_to_the_log_or_the_trail(app, provider, http, written_log):
    provider.sign_in(http, nonce="another")
    provider.sign_in(http)

    with app.app_context():
        trail = str(db.session.execute(db.text("SELECT * FROM audit_events")).all())
    for secret in (ACCESS, CODE, SECRET, provider.nonce):
        assert secret not in written_log.getvalue() + trail


def test_a_provider_that_is_away_is_told_on_the_sign_in_page(app, provider, http, failures):
    provider.metadata = {"issuer": "https://other.example"}
    form = {"csrf_token": http.get("/login").text.split('csrf_token" value="')[1].split('"')[0]}

    response = http.post("/login/acme", data=form)

    assert FAILED in told(http, response)
    assert failures() == [upstream_metadata.OTHER_ISSUER]


def test_a_disabled_account_is_not_signed_in(app, provider, http, failures):
    provider.sign_in(http)
    with app.app_context():
        users.disable(users.find_by_email("pia@example.org"), by=SERVER)
        db.session.commit()

    assert FAILED in told(http, provider.sign_in(http))
    assert failures() == ["The account is disabled."]


def test_a_provider_that_was_switched_off_finishes_nothing(app, provider, http, failures):
    sent = provider.begin(http)
    with app.app_context():
        db.session.execute(db.text("UPDATE identity_providers SET enabled = false"))
        db.session.commit()

    provider.come_back(http, sent)

    assert failures() == [sign_in_attempts.CHANGED]
    assert "Acme staff" not in http.get("/login").text
