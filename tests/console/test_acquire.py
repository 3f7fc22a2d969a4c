"""The page Acquire: tokens as one of our clients, through the real endpoints, and explained."""

import json

import pytest

from app.domain.audit_tags import Tag
from tests.console.acquiring import ALONE, ONE, PAGE, held, missing, token_of
from tests.console.acquiring import alone as alone
from tests.console.acquiring import make as make
from tests.console.acquiring import robot as robot
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import gets, harmful, posts, rows, unlisted, ways_to_act, wrongly_reached
from tests.protocol.conftest import written_log as written_log
from tests.protocol.signers import Signer
from tests.protocol.vendors import key_set

POSTS = (
    "authorization",
    "client-credentials",
    "code",
    "introspect",
    "refresh",
    "register",
    "revoke",
)
ROUTES = (
    ("GET", PAGE, "viewer"),
    ("GET", f"{PAGE}inspect", "viewer"),
    *(("POST", f"{PAGE}{name}", "approver") for name in POSTS),
)


def test_a_token_is_acquired_through_the_real_endpoint_and_its_audit_is_linked(
    alone, approver, robot, happened
):
    page = alone(scope="tools")

    [event] = happened(Tag.TOKEN_ISSUED)
    assert (event.actor_id, event.address) == (robot.client_id, "127.0.0.1")
    [link] = controls(page, "a", href=f"/admin/audit/?request_id={event.request_id}")
    assert "token.issued" in approver.get(link["href"]).text
    assert (
        missing(page, "It worked", "1. POST /token", "User-Agent: Gatewright Acquire", " ms") == []
    )
    assert token_of(page).count(".") == 2


@pytest.mark.parametrize("overrides", [{"trusted_proxies": 1}])
def test_behind_a_proxy_the_address_is_still_that_of_the_operator(alone, approver, happened):
    approver.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.7"
    approver.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"

    alone()

    assert happened(Tag.TOKEN_ISSUED)[0].address == "203.0.113.7"


def test_no_credential_is_shown_in_the_steps_stored_or_logged(alone, robot, app, written_log):
    page = alone()

    assert robot.secret not in page
    assert missing(page, "Authorization: Basic ***", '"access_token": "eyJhbGci…"') == []
    token = token_of(page)
    assert page.count(token) == 4, "shown once, copied once, and sent on by two buttons"
    stored, logged = repr(rows(app)), written_log.getvalue()
    assert "token.issued" in stored
    assert '"path":"/token","status":200' in logged
    assert [secret in stored + logged for secret in (token, robot.secret)] == [False, False]


def test_each_claim_is_explained_and_checked_as_the_resource_would(alone, robot):
    page = alone(scope="tools")

    assert (
        missing(
            page,
            "Passed: The signature is right: ES256, by the key ",
            "Passed: typ is at+jwt.",
            "Passed: iss is this server.",
            "Passed: exp is in the future.",
            f"Passed: aud holds {ONE}.",
            "Introspection: Active Neither it, nor its grant",
            f"client_id {robot.client_id} The client it was issued to.",
            "scope tools What it allows",
        )
        == []
    )
    assert "Failed: " not in texts(page)
    assert "gives no meaning" not in texts(page)


def test_a_token_is_introspected_and_revoked_from_the_page_that_shows_it(
    alone, approver, send, robot
):
    page = alone()
    typed = {"client_id": robot.client_id, "proof": robot.secret, "resource": ""}
    ask, end = held(page, "Introspect"), held(page, "Revoke the access token")

    before = send(approver, ask["formaction"], **typed, token=ask["value"]).text
    revoked = send(approver, f"{PAGE}revoke", **typed, token=end["value"]).text
    after = send(approver, ask["formaction"], **typed, token=ask["value"]).text

    assert missing(before, '"active": true', "Introspection: Active") == []
    assert missing(revoked, "1. POST /revoke", "It was revoked, alone or with its grant.") == []
    assert missing(after, '"active": false', "Introspection: Inactive") == []
    assert ask["value"] not in before


@pytest.mark.parametrize(
    "method, algorithm", [("private_key_jwt", "ES256"), ("client_secret_jwt", "HS256")]
)
def test_a_client_that_signs_is_tried_by_an_assertion(approver, send, make, method, algorithm):
    signing = {"token_endpoint_auth_method": method, "jwks": key_set("ES256")}
    made = make("client_credentials", **signing)
    signer = Signer(approver, made.client_id, secret=made.secret, algorithm=algorithm)
    assertion = signer.assertion()
    typed = {"client_id": made.client_id, "proof": assertion, "resource": ONE}

    form = approver.get(f"{PAGE}?client_id={made.client_id}").text
    page = send(approver, ALONE, **typed).text

    assert missing(form, "Signed assertion") == []
    assert missing(page, "It worked", "client_assertion=***", "CLIENT_ASSERTION") == []
    assert assertion not in page


def test_a_registration_is_made_through_the_real_endpoint(approver, send, signing_key, find):
    metadata = {"client_name": "Newcomer", "redirect_uris": ["http://127.0.0.1/cb"]}

    page = send(approver, f"{PAGE}register", metadata=json.dumps(metadata)).text
    refused = send(approver, f"{PAGE}register", metadata='{"redirect_uris": ["http://a.example"]}')

    assert find("Newcomer").status == "pending"
    assert missing(page, "It worked", "It waits until somebody decides", "Show it") == []
    assert missing(refused.text, "Refused: invalid_redirect_uri") == []


@pytest.mark.parametrize(
    "path, typed, sentence",
    [
        ("client-credentials", {"client_id": "nobody"}, "There is no client"),
        ("client-credentials", {"resource": "https://no.example/"}, "one of the choices"),
        ("client-credentials", {"scope": "ä"}, "printable ASCII"),
        ("refresh", {"refresh_token": " "}, "The refresh token is missing."),
        ("introspect", {"token": ""}, "The token is missing."),
        ("revoke", {"token": "\n"}, "The token is missing."),
        ("authorization", {}, "The client has no redirect URI"),
        ("code", {"address": "x"}, "No run of this client waits"),
        ("register", {"metadata": " "}, "The client metadata are missing."),
    ],
    ids=str,
)
def test_what_cannot_be_sent_says_why_and_keeps_no_credential(
    approver, send, robot, path, typed, sentence, happened
):
    form = {"client_id": robot.client_id, "proof": robot.secret, "resource": ""}
    answer = send(approver, PAGE + path, **form | typed)

    assert answer.status_code == 422
    assert missing(answer.text, sentence) == []
    assert robot.secret not in answer.text
    assert happened(Tag.TOKEN_ISSUED) == []


def test_the_operators_own_request_stays_what_it_was(approver, send, robot, happened):
    """Nothing of it is known to the request within it, but for its id and its address."""
    typed = {"client_id": robot.client_id, "proof": robot.secret, "resource": ONE}

    answer = send(approver, ALONE, **typed)

    assert "approver@example.org" in texts(answer.text)
    assert answer.headers["X-Request-Id"] == happened(Tag.TOKEN_ISSUED)[0].request_id
    assert "Set-Cookie" not in answer.headers


def test_a_viewer_sees_what_there_is_and_nothing_to_press(viewer, robot):
    for kind in ("client_credentials", "register"):
        page = viewer.get(f"{PAGE}?kind={kind}&client_id={robot.client_id}").text

        assert ways_to_act(page) == set()
        assert missing(page, "Running a test needs the role approver") == []
    assert "Try it" not in texts(viewer.get(f"/admin/clients/{robot.client_id}").text)


def test_the_page_of_a_client_leads_here(approver, robot):
    page = approver.get(f"/admin/clients/{robot.client_id}").text
    [link] = [each for each in controls(page, "a") if PAGE in each["href"] and "?" in each["href"]]

    there = approver.get(link["href"]).text

    assert missing(there, "As Robot", robot.client_id, "Get a token") == []


def test_a_client_is_chosen_from_the_latest(approver, robot):
    page = approver.get(f"{PAGE}?kind=revoke").text

    [link] = [each for each in controls(page, "a") if robot.client_id in each.get("href", "")]
    assert "kind=revoke" in link["href"]
    assert approver.get(f"{PAGE}?kind=unheard").status_code == 200
    assert approver.get(f"{PAGE}?client_id=%00").status_code == 200


def test_hostile_words_add_no_element_and_no_attribute(approver, send, make):
    """C-32."""
    pages = []
    for name in ("Plain", *HOSTILE):
        made = make("client_credentials", client_name=name)
        typed = {"client_id": made.client_id, "proof": made.secret, "token": name}
        form = approver.get(f"{PAGE}?kind=introspect&client_id={made.client_id}").text
        pages.append((shape(form), shape(send(approver, f"{PAGE}introspect", **typed).text)))

    assert [page == pages[0] for page in pages] == [True] * len(pages)


def test_each_address_is_open_to_its_role_and_those_above(anybody, app, robot):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []
    assert unlisted(app, "acquire", ROUTES) == set()


def test_looking_and_forged_forms_change_nothing(admin, app, robot):
    """C-20, C-21, X-46."""
    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 400) == []
