"""An authorization code on the page Acquire: the operator's own browser, and what came back."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.audit_tags import Tag
from tests.console.acquiring import CALLBACK, ONE, PAGE, held, missing, token_of
from tests.console.acquiring import desktop as desktop
from tests.console.acquiring import make as make
from tests.console.markup import controls, texts
from tests.flows.person import Reader

BEGIN, CODE = f"{PAGE}authorization", f"{PAGE}code"


@pytest.fixture
def begin(approver, send, desktop):
    """Return a function that makes an authorization request; gives its address."""

    def start(**typed):
        form = {"client_id": desktop.client_id, "redirect_uri": CALLBACK, "resource": ONE}
        page = send(approver, BEGIN, **form | {"scope": "openid tools"} | typed).text
        [link] = controls(page, "a", target="_blank")
        assert link["rel"] == "noopener noreferrer"
        return link["href"]

    return start


@pytest.fixture
def allow(approver):
    """Return a function that opens an address and presses a button of the consent page."""

    def press(url, decision="allow"):
        page = approver.get(url)
        [form] = [each for each in Reader(page.text).forms if "Allow" in each.buttons]
        sent = dict(form.fields) | {"decision": decision}
        return approver.post(form.action, data=sent).location

    return press


@pytest.fixture
def paste(approver, send, desktop):
    """Return a function that pastes the address that the browser ended at."""
    return lambda address: send(approver, CODE, client_id=desktop.client_id, address=address).text


def changed(address, **values):
    """Return an address with other values in its query."""
    base, _, query = address.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in values]
    return f"{base}?{'&'.join([*kept, *(f'{name}={value}' for name, value in values.items())])}"


def test_a_code_is_acquired_in_the_own_browser_and_exchanged(begin, allow, paste, happened):
    page = paste(allow(begin()))

    assert (
        missing(
            page,
            "1. The answer of the authorization endpoint",
            "Passed: state is the one that was sent",
            "Passed: iss is this server, so",
            "2. POST /token",
            "code_verifier=***",
            f"Passed: aud holds {ONE}.",
            "The ID token",
            "Passed: nonce is the one that was sent.",
        )
        == []
    )
    assert "Failed: " not in texts(page)
    [event] = happened(Tag.CODE_REDEEMED)
    assert controls(page, "a", href=f"/admin/audit/?request_id={event.request_id}") != []


def test_the_tokens_are_refreshed_and_their_grant_revoked_without_pasting(
    begin, allow, paste, approver, send, desktop
):
    page = paste(allow(begin(scope="tools offline_access")))
    typed = {"client_id": desktop.client_id, "resource": ""}
    button = held(page, "Refresh")

    fresh = send(approver, button["formaction"], **typed, refresh_token=button["value"]).text
    end = held(fresh, "Revoke the whole grant")
    ended = send(approver, f"{PAGE}revoke", **typed, token=end["value"]).text
    again = send(approver, button["formaction"], **typed, refresh_token=end["value"]).text

    assert missing(fresh, "It worked", f"Passed: aud names {ONE} and no other.") == []
    assert token_of(fresh) != token_of(page)
    assert missing(ended, "It worked", "1. POST /revoke") == []
    assert missing(again, "Refused: invalid_grant", "it was used or revoked") == []
    assert controls(page, "button", formaction=f"{PAGE}introspect") == [], "it cannot prove itself"


@pytest.mark.parametrize(
    "values, fault",
    [
        ({"state": "another"}, "Failed: state is the one that was sent"),
        ({"iss": "https://evil.example"}, "Failed: iss is this server"),
        ({"app": "other"}, "Failed: It ends at the redirect URI"),
    ],
    ids=str,
)
def test_an_answer_that_a_client_must_not_use_is_not_used(
    begin, allow, paste, values, fault, happened
):
    page = paste(changed(allow(begin()), **values))

    assert missing(page, fault, "Nothing was sent to the token endpoint") == []
    assert happened(Tag.CODE_REDEEMED) == []


def test_the_right_state_is_used_once_and_a_wrong_one_uses_nothing(begin, allow, paste):
    address = allow(begin())

    wrong = paste(changed(address, state="another"))
    first = paste(address)
    second = paste(address)

    assert missing(wrong, "Failed: state is the one that was sent") == []
    assert missing(first, "It worked") == []
    assert missing(second, "No run of this client waits in this browser") == []


@pytest.mark.parametrize("waited, works", [(599, True), (600, False)])
def test_a_run_waits_ten_minutes(begin, paste, clock, waited, works):
    url = begin()
    state = parse_qs(urlsplit(url).query)["state"][0]
    clock.advance(waited)

    page = paste(f"{CALLBACK}&code=ac_old&state={state}")

    assert ("No run of this client waits" not in texts(page)) is works


def test_a_person_who_says_no_is_an_error_that_is_explained(begin, allow, paste):
    page = paste(allow(begin(), decision="deny"))

    assert (
        missing(
            page,
            "Refused: access_denied",
            "or the person on the consent page",
            "Failed: It carries no error.",
            "It says: The person did not allow the access.",
        )
        == []
    )


def test_a_code_that_has_expired_is_explained(begin, allow, paste, clock):
    address = allow(begin())
    clock.advance(61)

    page = paste(address)

    assert missing(page, "Refused: invalid_grant", "Get a new one.") == []


def test_another_browser_of_the_same_operator_has_no_run(begin, sign_in, send, desktop):
    begin()

    answer = send(sign_in("approver"), CODE, client_id=desktop.client_id, address="x")

    assert answer.status_code == 422
    assert missing(answer.text, "No run of this client waits in this browser") == []


def test_a_client_that_pushes_its_requests_pushes_this_one(approver, send, make, allow):
    made = make(
        "authorization_code",
        redirect_uris=[CALLBACK],
        require_pushed_authorization_requests=True,
    )
    typed = {"client_id": made.client_id, "redirect_uri": CALLBACK, "resource": ONE}

    refused = send(approver, BEGIN, **typed, proof="wrong").text
    page = send(approver, BEGIN, **typed, proof=made.secret).text
    [link] = controls(page, "a", target="_blank")
    address = allow(link["href"])
    done = send(approver, CODE, client_id=made.client_id, address=address, proof=made.secret).text

    assert missing(refused, "Refused: invalid_client", "1. POST /par") == []
    assert missing(page, "1. POST /par", "2. Open it", "3. Paste what came back") == []
    assert "request_uri=" in link["href"]
    assert missing(done, "It worked", f"Passed: aud holds {ONE}.") == []


def test_pending_software_is_sent_to_the_waiting_page(
    approver, send, register, catalogue, signing_key
):
    client_id = register(redirect_uris=["http://127.0.0.1/cb"])["client_id"]
    typed = {"client_id": client_id, "redirect_uri": "http://127.0.0.1/cb", "resource": ""}

    page = send(approver, BEGIN, **typed).text
    [link] = controls(page, "a", target="_blank")

    assert missing(page, "It waits until somebody decides about its software.") == []
    assert "Someone has to approve Probe first" in texts(approver.get(link["href"]).text)


def test_a_redirect_uri_that_the_client_did_not_register_is_not_taken(approver, send, desktop):
    typed = {"client_id": desktop.client_id, "resource": "", "redirect_uri": "https://evil.example"}

    answer = send(approver, BEGIN, **typed)

    assert answer.status_code == 422
    assert missing(answer.text, "The redirect URI must be one of the choices offered.") == []
    assert "evil.example" not in answer.text
