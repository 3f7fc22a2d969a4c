"""Authorizing a connection: one answer, of one browser, in time; each person for themselves."""

from urllib.parse import urlencode

import pytest

from app.domain import credentials, errors, users
from app.domain.audit import SERVER
from app.domain.connection_authorizations import STALE
from app.extensions import db
from app.outbound.errors import OutboundError
from app.outbound.failures import ERRORS, REASONS
from app.outbound.upstream_authorization import OTHER_ISSUER
from app.protocol import connection_callback
from app.views import instant
from tests.console.conftest import csrf_of
from tests.console.markup import texts
from tests.console.matrix import become
from tests.console.upstreaming import ACCESS, LIST, REDIRECT, REFRESH
from tests.console.upstreaming import upstream as upstream
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said, token_answer

OWN = "/connections/notes/"
CODE = "c4n4ry-code"


def post(browser, path):
    """Post as anybody, who may have no page of the console."""
    token = csrf_of(browser.get("/login?again=yes").text)
    return browser.post(path, data={"csrf_token": token})


def refused(answer, sentence):
    """Tell whether an answer is a page with this sentence that echoes nothing."""
    echoed = [each for each in (CODE, ACCESS, "c4n4ry-words") if each in answer.text]
    return answer.status_code == 400 and sentence in texts(answer.text) and not echoed


def test_an_operator_authorizes_for_this_server(upstream, happened):
    asked = upstream.ready().begin()

    assert upstream.come_back(asked).location == upstream.page

    (form,) = upstream.forms("/token")
    assert credentials.s256_challenge(form["code_verifier"][0]) == asked["code_challenge"]
    assert (form["code"], form["redirect_uri"]) == ([CODE], [REDIRECT])
    assert form["resource"] == [asked["resource"]] == [upstream.api.url]
    assert (asked["scope"], asked["code_challenge_method"]) == ("read write", "S256")
    held = upstream.tokens()
    assert (held.access_token, held.refresh_token, held.scopes) == (ACCESS, REFRESH, ("read",))
    page = upstream.admin.get(upstream.page).text
    assert "this server" in texts(page)
    assert ACCESS not in page
    assert happened("connection.authorized")[0].actor_name == "admin@example.org"


def test_the_list_says_of_a_token_when_it_ends_and_when_it_was_used(upstream, clock):
    upstream.ready()
    assert "Unused never no token yet" in texts(upstream.admin.get(LIST).text)

    upstream.come_back(upstream.begin())
    ends_at = instant(clock.now + 3600).replace("T", " ").replace("Z", " UTC")
    assert f"Live never {ends_at}" in texts(upstream.admin.get(LIST).text)

    upstream.login.pages["POST /token"] = token_answer(ACCESS, expires_in=None)
    upstream.come_back(upstream.begin())
    assert "Live never not said" in texts(upstream.admin.get(LIST).text)


def test_an_answer_counts_once_and_in_the_browser_that_began(upstream, sign_in):
    asked = upstream.ready().begin()

    assert refused(upstream.come_back(asked, sign_in("admin")), STALE)
    assert upstream.come_back(asked).location == upstream.page
    assert refused(upstream.come_back(asked), STALE)
    assert len(upstream.forms("/token")) == 1


def test_an_answer_that_comes_too_late_or_after_a_change_is_not_redeemed(upstream, clock):
    asked = upstream.ready().begin()
    typed = {"client_id": "given", "auth_method": "none"}
    assert upstream.do("register", **typed).location == upstream.page
    assert refused(upstream.come_back(asked), STALE)

    other = upstream.begin()
    clock.advance(601)
    assert refused(upstream.come_back(other), STALE)
    assert upstream.forms("/token") == []


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"iss": "https://evil.example"}, OTHER_ISSUER),
        ({"iss": None}, OTHER_ISSUER),
        ({"error": "access_denied", "error_description": "c4n4ry-words"}, "did not allow it"),
        ({"error": "c4n4ry-words"}, "for a reason that is not known here"),
        ({"code": None}, "without a code that can be used"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_and_uses_it_up(upstream, changes, sentence):
    asked = upstream.ready().begin()

    assert refused(upstream.come_back(asked, **changes), sentence)
    assert refused(upstream.come_back(asked), STALE)
    assert upstream.forms("/token") == []


def test_a_parameter_that_is_repeated_is_refused_and_uses_nothing_up(upstream):
    asked = upstream.ready().begin()
    query = urlencode({"state": asked["state"], "iss": upstream.login.origin})

    twice = upstream.admin.get(f"/connections/callback?{query}&code=one&code=two")

    assert refused(twice, "A parameter is repeated")
    assert upstream.come_back(asked).location == upstream.page


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (said(400, {"error": "invalid_client"}), ERRORS["invalid_client"].sentence),
        (said(200, {"access_token": 7}), REASONS["token"].sentence),
    ],
)
def test_a_code_that_is_not_redeemed_says_why(upstream, answer, sentence):
    asked = upstream.ready().begin()
    upstream.login.pages["POST /token"] = answer

    assert refused(upstream.come_back(asked), sentence)
    assert upstream.tokens() is None


@pytest.mark.parametrize("reason", ["invalid_client", "address", "dns", "tls"])
def test_a_person_reads_the_same_whatever_is_wrong_there(upstream, member, monkeypatch, reason):
    """S-12: what answers where inside is for operators alone."""
    upstream.ready()
    asked = upstream.asked_by(post(member, f"{OWN}authorize"))

    def fail(*_given, **_named):
        raise OutboundError(reason)

    monkeypatch.setattr(connection_callback.upstream, "redeem", fail)

    assert refused(upstream.come_back(asked, member), connection_callback.UNREDEEMED)


def test_no_state_is_given_out_before_there_is_a_client(upstream):
    upstream.make()

    assert upstream.do("authorize").status_code == 409


def test_who_is_no_administrator_any_more_brings_no_tokens(upstream, people, app):
    asked = upstream.ready().begin()
    become(app, people["admin"], "viewer")

    assert refused(upstream.come_back(asked), "Only an administrator authorizes a connection")
    assert upstream.forms("/token") == []


def test_a_browser_that_is_signed_out_is_sent_to_sign_in_without_the_answer(upstream, client):
    asked = upstream.ready().begin()

    answer = upstream.come_back(asked, client)

    assert (answer.status_code, answer.location) == (303, "/login?next=/connections/")


def test_tokens_that_cannot_be_kept_any_more_are_revoked(upstream, monkeypatch):
    asked = upstream.ready().begin()

    def changed(*_given, **_named):
        raise errors.Conflict("The connection was changed.")

    monkeypatch.setattr(connection_callback.connection_grants, "keep", changed)

    assert upstream.come_back(asked).status_code == 409
    assert [form["token"] for form in upstream.forms("/revoke")] == [[REFRESH], [ACCESS]]


def test_who_is_disabled_while_the_code_is_redeemed_keeps_no_tokens(
    upstream, people, app, monkeypatch
):
    asked = upstream.ready().begin()
    redeem = connection_callback.upstream.redeem

    def redeem_meanwhile(*given, **named):
        with app.app_context():
            users.change_role(users.find(people["viewer"]), "admin", by=SERVER)
            users.disable(users.find(people["admin"]), by=SERVER)
            db.session.commit()
        return redeem(*given, **named)

    monkeypatch.setattr(connection_callback.upstream, "redeem", redeem_meanwhile)

    assert refused(upstream.come_back(asked), STALE)
    assert [form["token"] for form in upstream.forms("/revoke")] == [[REFRESH], [ACCESS]]


def test_each_person_has_their_own_tokens_alone(upstream, member, viewer, people):
    upstream.ready()
    for browser, name in ((member, "member"), (viewer, "viewer")):
        upstream.login.pages["POST /token"] = token_answer(f"{ACCESS}-{name}", refresh_token="r")
        asked = upstream.asked_by(post(browser, f"{OWN}authorize"))
        assert upstream.come_back(asked, browser).location == OWN

    assert upstream.tokens() is None
    held = {name: upstream.tokens(people[name]).access_token for name in ("member", "viewer")}
    assert held == {name: f"{ACCESS}-{name}" for name in held}
    assert "Authorized" in texts(member.get(OWN).text)
    shown = texts(upstream.admin.get(upstream.page).text)
    assert "member@example.org" in shown

    assert post(member, f"{OWN}disconnect").location == OWN
    assert upstream.tokens(people["member"]) is None
    assert upstream.tokens(people["viewer"]) is not None
    assert [form["token"] for form in upstream.forms("/revoke")][-1] == [f"{ACCESS}-member"]


def test_people_see_what_they_can_authorize_and_whether_they_did(upstream, member):
    upstream.make(description="Notes of the team")
    assert "It cannot be authorized yet" in texts(member.get(OWN).text)
    assert post(member, f"{OWN}authorize").status_code == 409

    listed = texts(member.get("/connections/").text)

    assert "notes Notes of the team Not authorized" in listed
    assert member.get("/connections/other/").status_code == 404


def test_the_page_lets_the_form_end_at_the_other_server(upstream, member):
    upstream.ready()

    for answer in (upstream.admin.get(upstream.page), member.get(OWN)):
        policy = answer.headers["Content-Security-Policy"]
        assert f"form-action 'self' {upstream.login.origin};" in policy


def test_who_is_not_signed_in_is_sent_to_sign_in(client):
    for path in ("/connections/", OWN):
        assert client.get(path).location == f"/login?next={path}"
    for way in ("authorize", "disconnect"):
        assert post(client, f"{OWN}{way}").location == f"/login?next={OWN}"
