"""People, accounts and consents when an organisation lets an app act for its people (ID-JAG)."""

from app.domain import clients, consents, identity_providers, software, users
from app.extensions import db
from tests.protocol.assertions import act as act
from tests.protocol.assertions import agent as agent
from tests.protocol.assertions import assertion, bring, got
from tests.protocol.assertions import overrides as overrides
from tests.protocol.assertions import pia as pia
from tests.protocol.assertions import provider as provider
from tests.protocol.machines import RESOURCE, assert_refused
from tests.protocol.persons import answer_of
from tests.protocol.test_hot_path import loaded_objects
from tests.protocol.test_jwt import verified

INACTIVE = {"active": False}


def test_a_newcomer_gets_an_account_but_no_role_and_nobody_elses_account(
    app, client, agent, person, audited
):
    """The provider may give roles and link addresses; both wait for a sign-in."""
    draft = {"group_roles": "admin: Platform", "links_by_email": True, "vouches": True}
    with app.app_context():
        held = identity_providers.get("acme", {})
        for name, value in draft.items():
            setattr(held.row, name, value)
        db.session.commit()
    theirs = {"email": person.email, "email_verified": True}
    assert_refused(bring(agent, assertion(agent, **theirs)), "invalid_grant")
    new = {"email": "pia@example.org", "name": "Pia P.", "groups": ["Platform"]}
    token = verified(client, got(bring(agent, assertion(agent, **new))))[1]

    with app.app_context():
        user = users.find_by_email("pia@example.org")
        assert (user.id, user.role, user.name) == (token["sub"], "member", "Pia P.")
    assert "auth_time" not in token


def test_a_provider_that_makes_no_accounts_or_wants_another_domain_lets_nobody_in(
    app, agent, pia, audited
):
    for change in ({"makes_accounts": False}, {"allowed_domains": "elsewhere.example"}):
        with app.app_context():
            held = identity_providers.get("acme", {})
            for name, value in change.items():
                setattr(held.row, name, value)
            db.session.commit()
        new = assertion(agent, sub="new-there", email="new@example.org")
        assert_refused(bring(agent, new), "invalid_grant")
    assert audited("user.created")[1:] == []


def test_a_person_who_is_known_is_loaded_as_no_object(agent, pia):
    """House law 10"""
    got(bring(agent, assertion(agent)))

    with loaded_objects() as found:
        got(bring(agent, assertion(agent)))
    assert found == []


def test_one_consent_serves_until_more_is_wanted(agent, pia, audited):
    for scope in ("mcp:read", "mcp:read", "mcp:write", "mcp:read", "mcp:write"):
        got(bring(agent, assertion(agent, scope=scope)))

    assert [event.detail["scopes"] for event in audited("consent.vouched")] == [
        ["mcp:read"],
        ["mcp:read", "mcp:write"],
    ]


def late_consent(user_id, client_id, *, by):
    """Let an assertion be stored that came in the moment in which the person removed the client."""
    about = {"scopes": ["mcp:read"], "resources": [RESOURCE], "session_id": "", "redirect_uri": ""}
    consents.give(user_id=user_id, client_id=client_id, given_by="acme", by=by, **about)


def test_a_person_sees_the_client_removes_it_and_their_word_counts_more(act, agent, pia):
    """A new assertion does not bring back what the person ended; an authorization request does."""
    token = got(bring(agent, assertion(agent)))
    pia.sign_in()
    page = pia.open("/account/")
    assert "Your organisation, by Acme staff" in page.text
    assert "Your organisation let" in pia.open("/account/activity").text

    pia.submit(page, "/account/apps/remove")

    assert agent.introspect(token).get_json() == INACTIVE
    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
    act(late_consent, pia.user_id, agent.client_id)
    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
    assert answer_of(pia.decide(pia.consent_page(agent)))["code"]
    got(bring(agent, assertion(agent)))


def test_what_operators_end_has_ended_and_a_new_assertion_counts_again(
    act, clock, agent, pia, subtests
):
    """Operators have other means for good: the grant of the client, the switch, the account."""

    def found(verb, *more):
        return lambda by: verb(clients.get(agent.client_id), *more, by=by)

    pairs = {
        "tokens revoked": (found(clients.revoke_tokens), None),
        "client suspended": (found(clients.suspend, "x"), found(clients.resume, "x")),
        "person disabled": (
            lambda by: users.disable(users.get(pia.user_id), by=by),
            lambda by: users.enable(users.get(pia.user_id), by=by),
        ),
    }
    for name, (end, undo) in pairs.items():
        with subtests.test(name):
            clock.advance(1)
            token = got(bring(agent, assertion(agent)))
            assert agent.introspect(token).get_json()["active"] is True
            act(end)
            if undo is not None:
                assert bring(agent, assertion(agent)).status_code in (400, 401)
                act(undo)
            assert agent.introspect(token).get_json() == INACTIVE
            clock.advance(1)
            got(bring(agent, assertion(agent)))


def test_software_that_takes_no_newcomers_takes_none_by_assertions(app, act, agent, pia):
    with app.app_context():
        row = software.get(clients.get(agent.client_id).software_id)
        row.closed_at = 1
        clients.generations.bump("clients")
        db.session.commit()

    assert_refused(bring(agent, assertion(agent)), "invalid_grant")
