"""Authorization requests that clients push, and the references that browsers bring (RFC 9126)."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain import clients, decisions, retention, reversals, software
from app.domain.audit import SERVER
from app.domain.pushed_requests import GONE, PREFIX, PushedRequest
from app.extensions import db
from tests.protocol import registrants
from tests.protocol.machines import LOOPBACK, REDIRECT, RESOURCE, assert_refused, form
from tests.protocol.persons import answer_of, find_form

EVIL = "https://attacker.example/"
GONE_REFERENCE = f"{PREFIX}{'x' * 43}"


def is_gone(response):
    """Tell whether a reference does not count, which is said on a page of ours."""
    said = " ".join(response.text.split())
    return (response.status_code, response.location) == (400, None) and GONE in said


def rows(app):
    """Return every pushed request."""
    with app.app_context():
        return list(db.session.scalars(db.select(PushedRequest)))


def query_of(path):
    return parse_qs(urlsplit(path).query)


def signed_in(person):
    """Return a person who is signed in."""
    assert person.sign_in().status_code == 303
    return person


@pytest.mark.parametrize("kind", ["confidential", "posting"])
def test_a_pushed_request_ends_in_tokens_once(app, request, kind, person, audited):
    """N-200, N-001: the browser carries client and reference and nothing else."""
    machine = request.getfixturevalue(kind)
    answer = machine.push(login_hint="ada", nonce="n", x="y")
    pushed = answer.get_json()
    brought = {"client_id": machine.client_id, "request_uri": pushed["request_uri"]}
    path = f"/authorize?{form(brought)}"

    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert pushed.keys() == {"request_uri", "expires_in"}
    assert pushed["request_uri"].startswith(PREFIX)
    assert (len(pushed["request_uri"]), pushed["expires_in"]) == (len(PREFIX) + 43, 90)
    (row,) = rows(app)
    assert not {"client_secret", "x"} & row.parameters.keys()
    assert row.parameters["resource"] == [RESOURCE]
    (event,) = audited("request.pushed")
    assert (event.actor_id, event.client_id) == (machine.client_id, machine.client_id)
    assert pushed["request_uri"] not in str(vars(row)) + str(vars(event))

    sign_in = person.open(path)
    assert 'value="ada"' in sign_in.text
    page = person.open(person.sign_in(sign_in).location)
    assert query_of(find_form(page, "/consent").action).keys() == {"client_id", "request_uri"}
    answered = answer_of(person.decide(page))

    assert answered["state"] == "a state"
    tokens = machine.redeem(answered["code"])
    assert tokens.status_code == 200
    assert tokens.get_json()["scope"] == "mcp:read mcp:write"
    for again in (person.open(path), person.elsewhere().open(path), person.decide(page)):
        assert is_gone(again)


def test_whoever_opened_a_request_in_time_may_take_half_an_hour(public, person, clock):
    path = public.pushed()
    clock.advance(89)
    sign_in = person.open(path)
    clock.advance(1)
    assert is_gone(person.elsewhere().open(path))
    clock.advance(1200)
    page = person.open(person.sign_in(sign_in).location)
    signed_out = person.submit(page, "/logout")
    page = person.open(person.sign_in(person.open(signed_out.location)).location)

    assert find_form(page, "/consent")
    clock.advance(598)
    assert find_form(person.open(path), "/consent")
    clock.advance(1)
    assert is_gone(person.open(path))
    assert is_gone(person.decide(page))


@pytest.mark.parametrize("overrides", [{"pushed_request_seconds": 5}])
def test_the_lifetime_is_a_setting_and_dead_rows_are_purged(app, public, person, clock):
    answer, path = public.push().get_json(), public.pushed()
    assert answer["expires_in"] == 5
    clock.advance(5)
    assert is_gone(person.open(path))
    clock.advance(1801)

    with app.app_context():
        assert retention.purge()["pushed requests"] == 2
        db.session.commit()
    assert rows(app) == []


def test_what_stands_beside_a_reference_has_no_effect(public, person, register):
    """N-200: whatever a stranger adds to the address."""
    other = register(client_name="Other", redirect_uris=[EVIL])
    path = public.pushed(scope="mcp:read")
    tampered = form(
        {
            "redirect_uri": EVIL,
            "scope": "mcp:write",
            "state": "evil",
            "response_type": "token",
            "resource": "https://nowhere.example/",
            "code_challenge": "e" * 43,
            "prompt": "none",
            "request": "a.b.c",
        }
    )
    page = person.open(f"{path}&{tampered}")
    page = person.open(person.sign_in(page).location)
    action = f"{find_form(page, '/consent').action}&{tampered}"
    response = person.http.post(
        action, data=find_form(page, "/consent").fields | {"decision": "allow"}
    )

    told = answer_of(response)
    assert response.location.startswith(f"{REDIRECT}?code=")
    assert told["state"] == "a state"
    assert public.redeem(told["code"]).get_json()["scope"] == "mcp:read"
    assert is_gone(person.open(path.replace(public.client_id, other.client_id)))


def test_a_reference_that_does_not_count_sends_nobody_anywhere(public, register, person, subtests):
    """N-200, N-038: an address outside is refused as before and never fetched."""
    other = register(client_name="Other")
    reference = query_of(public.pushed())["request_uri"][0]
    for name, change in [
        ("unknown", {"request_uri": GONE_REFERENCE}),
        ("longer", {"request_uri": reference + "a" * 60_000}),
        ("not ASCII", {"request_uri": f"{PREFIX}\u00e9"}),
        ("cut", {"request_uri": reference[:-1]}),
        ("of another client", {"client_id": other.client_id, "request_uri": reference}),
        ("without a client", {"client_id": None, "request_uri": reference}),
    ]:
        with subtests.test(name):
            response = person.open(f"/authorize?{form({'client_id': public.client_id} | change)}")
            assert (response.status_code, response.location) == (400, None)
    outside = person.open(public.asking(request_uri=EVIL))
    assert answer_of(outside)["error"] == "request_uri_not_supported"


# What is wrong, the change to the pushed request, the error code.
REFUSED = [
    ("request_uri", {"request_uri": GONE_REFERENCE}, "invalid_request"),
    ("request_uri outside", {"request_uri": EVIL}, "invalid_request"),
    ("request", {"request": "a.b.c"}, "invalid_request_object"),
    ("registration", {"registration": "{}"}, "registration_not_supported"),
    ("redirect_uri of somebody else", {"redirect_uri": EVIL}, "invalid_request"),
    ("redirect_uri longer", {"redirect_uri": f"{REDIRECT}/x"}, "invalid_request"),
    ("redirect_uri missing", {"redirect_uri": None, "scope": "openid"}, "invalid_request"),
    ("no type", {"response_type": None}, "invalid_request"),
    ("token", {"response_type": "token"}, "unsupported_response_type"),
    ("fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("scope", {"scope": "unknown"}, "invalid_scope"),
    ("resource", {"resource": "https://nowhere.example/"}, "invalid_target"),
    ("prompt", {"prompt": "none login"}, "invalid_request"),
    ("max_age", {"max_age": "x"}, "invalid_request"),
    ("state twice", {"state": ["a", "b"]}, "invalid_request"),
    ("NUL", {"state": "a\0b"}, "invalid_request"),
    ("an unknown client", {"client_id": "nobody"}, "invalid_client"),
    ("a secret that is not there", {"client_secret": "x"}, "invalid_client"),
]


def test_what_would_be_refused_later_is_refused_at_once(app, public, confidential, subtests):
    """N-200: as JSON, never by a redirect, and nothing is kept."""
    for name, change, error in REFUSED:
        with subtests.test(name):
            assert_refused(public.push(**change), error)
    without_secret = public.http.post("/par", data=confidential.wanted())
    assert_refused(without_secret, "invalid_client")
    in_query = public.http.post(f"/par?{form(public.wanted())}", data={"x": "y"})
    assert_refused(in_query, "invalid_request")
    assert rows(app) == []


def test_a_denial_uses_the_reference_up(public, person):
    path = public.pushed()
    page = signed_in(person).open(path)

    assert answer_of(person.decide(page, "deny"))["error"] == "access_denied"
    assert is_gone(person.open(path))


def test_of_many_answers_to_one_reference_one_gets_a_code(public, person, audited):
    """Promise 1: whoever is faster, whichever page it was answered on."""
    path = public.pushed()
    browsers = [signed_in(person.elsewhere()) for _ in range(4)]
    pages = [each.open(path) for each in browsers]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda browser, page: browser.decide(page), browsers, pages))

    assert sorted(each.status_code for each in answers) == [303, 400, 400, 400]
    assert len(audited("code.issued")) == 1


def test_a_second_code_cannot_be_had_without_a_question_either(public, person):
    """Consent that was given before is not asked for again."""
    person.code(public)
    path = public.pushed()

    assert "code" in answer_of(person.open(path))
    assert is_gone(person.open(path))


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_demand_to_sign_in_is_met_once(public, person, clock, demand):
    signed_in(person)
    clock.advance(1)
    path = public.pushed(**demand)
    sign_in = person.open(path)
    assert 'name="password"' in sign_in.text
    assert 'name="password"' in person.open(path).text
    back = person.sign_in(sign_in).location
    clock.advance(1)

    assert "code" in answer_of(person.decide(person.open(back)))


def approve(app, machine):
    """Approve the software of a client, or take the approval back."""
    with app.app_context():
        row = software.get(clients.get(machine.client_id).software_id)
        if row.status == "approved":
            reversals.undo(row.id, row.decided_at, by=SERVER)
        else:
            offered = decisions.offered_scopes(row)
            decisions.approve(row.id, row.revision, allowed=offered, by=SERVER)
        db.session.commit()


def test_a_request_waits_for_an_approval_and_goes_on(app, pending, person, clock):
    """The client cannot push before it is approved; one that did waits by its reference."""
    local = pending.at(LOOPBACK)
    assert_refused(local.push(), "access_denied")
    approve(app, local)
    path = local.pushed()
    approve(app, local)
    waiting = person.open(path)
    clock.advance(100)

    assert "Waiting for approval" in waiting.text
    assert "Waiting for approval" in person.open(path).text
    approve(app, local)
    page = person.open(person.sign_in(person.open(path)).location)
    assert local.redeem(answer_of(person.decide(page))["code"]).status_code == 200


def test_stopping_a_client_forgets_what_it_pushed(app, public, person):
    """X-53, promise 2."""
    path = public.pushed()
    for verb in (clients.suspend, clients.resume):
        with app.app_context():
            verb(clients.get(public.client_id), "reason", by=SERVER)
            db.session.commit()

    assert is_gone(person.open(path))


def test_a_client_may_bind_itself_to_push_and_only_approval_unbinds_it(app, client, person):
    """RFC 9126 section 6"""
    member = "require_pushed_authorization_requests"
    mine = registrants.register(client, scope="mcp:read")
    registrants.Operator(app).approve(mine)
    assert member not in mine.answer
    bound = mine.update(**{member: True})
    assert (bound.status_code, bound.get_json()[member]) == (200, True)
    assert bound.get_json().get("registration_status") != "revision_pending"
    machine = mine.machine

    assert answer_of(person.open(machine.asking()))["error"] == "invalid_request"
    assert "code" in answer_of(person.decide(signed_in(person).open(machine.pushed())))
    unbound = mine.update(**{member: False}).get_json()
    assert (unbound["registration_status"], unbound[member]) == ("revision_pending", True)
    assert answer_of(person.open(machine.asking()))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "overrides", [{"rate_limit_enabled": True, "token_rate_limit": "2 per hour"}]
)
def test_one_address_cannot_fill_the_table_with_what_needs_no_secret(app, public, confidential):
    assert [public.push().status_code for _ in range(3)] == [201, 201, 429]
    assert [confidential.push().status_code for _ in range(3)] == [201] * 3
    assert len(rows(app)) == 5
