"""The audit trail of what machines and people do here: who, from where, in which request."""

from tests.protocol.machines import RESOURCE
from tests.protocol.persons import find_form


def last(audited, tag, response):
    """Return the newest event of a tag, which names address and request of an answer."""
    event = audited(tag)[-1]
    assert (event.address, event.request_id) == ("127.0.0.1", response.headers["X-Request-Id"])
    return event


def test_tokens_are_recorded_when_they_are_issued_and_asked_about(confidential, person, audited):
    mine = ("client", confidential.client_id)
    by_code = confidential.redeem(person.code(confidential))
    issued = [last(audited, "token.issued", by_code)]
    alone = confidential.post("/token", grant_type="client_credentials", resource=RESOURCE)
    issued.append(last(audited, "token.issued", alone))
    asked = confidential.introspect(by_code.get_json()["access_token"])
    about = last(audited, "token.introspected", asked)

    assert [each.detail["grant_type"] for each in issued] == [
        "authorization_code",
        "client_credentials",
    ]
    assert issued[0].subject == audited("code.redeemed")[-1].subject
    assert {(each.actor_kind, each.actor_id) for each in (*issued, about)} == {mine}
    assert (about.subject, about.detail) == (asked.get_json()["jti"], {"active": True})


def test_it_is_recorded_which_tokens_were_issued_beside_the_access_token(register, person, audited):
    alone = register(client_name="Alone", grant_types=["authorization_code"])
    scope = "openid offline_access mcp:read"
    whole = register(client_name="Whole", scope=scope)

    alone.redeem(person.code(alone))
    answer = whole.redeem(person.code(whole, scope=scope, nonce="n")).get_json()
    whole.refresh(answer["refresh_token"])

    assert {"id_token", "refresh_token"} <= answer.keys()
    assert [beside(event) for event in audited("token.issued")] == [(False, False), (True, True)]
    assert [beside(event) for event in audited("token.refreshed")] == [(True, True)]


def beside(event):
    """Return whether a refresh token and whether an ID token was issued."""
    return event.detail["refresh_token"], event.detail["id_token"]


def test_signing_in_failing_to_and_signing_out_are_recorded(person, audited):
    failed = last(audited, "user.sign_in_failed", person.sign_in(password="wrong password"))
    signed_in = last(audited, "user.signed_in", person.sign_in())
    token = find_form(person.open("/setup"), "/setup").fields["csrf_token"]
    out = last(audited, "user.signed_out", person.http.post("/logout", data={"csrf_token": token}))

    assert (failed.actor_kind, signed_in.actor_kind) == ("anonymous", "user")
    assert person.email not in str(failed.detail)
    assert [each.subject for each in (signed_in, out)] == [person.user_id] * 2
    assert out.actor_name == person.email
