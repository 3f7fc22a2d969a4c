"""Tokens of connections for our own clients: whose they are, and what never leaves."""

import pytest

from app.domain import admissions, client_metadata, connection_grants, connections, scopes, users
from app.domain.audit import SERVER
from app.domain.connection_drafts import SCOPE_LENGTH, Draft
from app.domain.consents import Consent
from app.domain.grant_types import EXCHANGE
from app.domain.grants import Grant
from app.domain.tokens import TYPE_URN
from app.extensions import db
from app.protocol.connection_tokens import SCOPE
from tests.conftest import ISSUER
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.grants import granted as granted
from tests.protocol import machines, proofs
from tests.protocol.machines import FORM, RESOURCE, SCOPES, assert_refused, form, known
from tests.services.gate import said, token_answer

PATH = "/connections/notes/token"
OWN = f"{ISSUER}/connections/notes/"
"""Where people authorize the connection."""


@pytest.fixture
def caller(app, client):
    """Return a client that may get tokens of connections, and introspect those of a resource."""
    wanted = {"client_name": "Worker", "grant_types": ["client_credentials"]}
    with app.app_context():
        scopes.create(SCOPE, "Get tokens of connections", by=SERVER)
        found, issued = admissions.create(
            client_metadata.parse(wanted),
            by=SERVER,
            allowed=[SCOPE, *SCOPES.split()],
            introspects=(RESOURCE,),
        )
        machine = known(client, found, issued)
        db.session.commit()
    return machine


def own_token(machine, **changes):
    """Return an access token that a client got for itself."""
    wanted = {"grant_type": "client_credentials", "scope": SCOPE}
    answer = machine.post("/token", **(wanted | changes))
    assert answer.status_code == 200, answer.text
    return answer.json["access_token"]


def ask(machine, token, path=PATH, **parameters):
    """Ask for the token of a connection."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return machine.http.post(path, data=form(parameters), content_type=FORM, headers=headers)


def for_person(tokens, **changes):
    """Return the parameters that name a person by a token of theirs."""
    named = {"subject_token": tokens["access_token"], "subject_token_type": TYPE_URN}
    return named | changes


def grant(app, owner=""):
    """Return where operators authorize the connection, and what an owner has there."""
    with app.app_context():
        row_id = connections.get("notes").id
        return f"{ISSUER}/admin/connections/{row_id}", connection_grants.find(row_id, owner)


def test_a_client_gets_the_token_of_this_server_and_no_more(
    app, endpoint, granted, caller, audited, clock
):
    granted(endpoint())

    answer = ask(caller, own_token(caller))

    assert answer.json == {
        "access_token": "a-1",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "read",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = audited("connection.token_issued")
    assert (event.actor_id, event.detail) == (caller.client_id, {"name": "notes", "owner": ""})


def test_a_bound_token_opens_a_connection_with_its_key_only(app, endpoint, granted, caller, clock):
    """N-201: a stolen token of the client gets nobody else's."""
    granted(endpoint())
    wanted = {"grant_type": "client_credentials", "scope": SCOPE}
    bound = caller.post("/token", proofs.proving(), **wanted).json["access_token"]

    def present(headers):
        return caller.http.post(PATH, data="", content_type=FORM, headers=headers)

    assert_refused(ask(caller, bound), "invalid_token", 401)
    bare = {"Authorization": f"DPoP {bound}"}
    assert_refused(present(bare), "invalid_dpop_proof", 401)
    proven = proofs.presenting(bound, PATH, method="POST")
    assert present(proven).json["access_token"] == "a-1"
    assert_refused(present(proven), "invalid_dpop_proof", 401)


def test_a_token_that_ran_out_is_renewed_first(endpoint, granted, caller, clock):
    granted(endpoint(token_answer("a-2", refresh_token="c4n4ry-refresh", expires_in=None)))
    clock.advance(3600)

    answer = ask(caller, own_token(caller))

    assert answer.json == {"access_token": "a-2", "token_type": "Bearer", "scope": "read"}


def test_a_login_of_this_server_gives_its_tokens_too(app, endpoint, caller, clock):
    server = endpoint(token_answer("l-1"), said(400, {"error": "invalid_grant"}))
    draft = Draft(token_endpoint=server.url, client_id="us", client_secret="s", scope="bill")
    with app.app_context():
        key = app.extensions["gatewright.keys"]["connections"]
        connections.create("notes", draft, key, by=SERVER)
        db.session.commit()

    answer = ask(caller, own_token(caller))

    assert (answer.json["access_token"], answer.json["scope"]) == ("l-1", "bill")
    assert answer.json["expires_in"] == 3600
    assert ask(caller, own_token(caller), scope="bill").json["access_token"] == "l-1"
    assert_refused(ask(caller, own_token(caller), scope="bill pay"), "invalid_scope")
    clock.advance(3600)
    assert_refused(ask(caller, own_token(caller)), "temporarily_unavailable", 503)


def test_a_person_is_named_by_a_token_of_theirs_and_sent_to_authorize_without_one(
    app, endpoint, granted, caller, confidential, person, enrol
):
    granted(endpoint(), owner=person.user_id)
    token, theirs = own_token(caller), person.tokens(confidential)

    assert ask(caller, token, **for_person(theirs)).json["access_token"] == "a-1"
    eve = enrol("eve@people.example")
    of_eve = ask(caller, token, **for_person(eve.tokens(confidential)))
    assert_refused(of_eve, "invalid_grant", authorization_url=OWN)
    console, _ = grant(app)
    assert_refused(ask(caller, token), "invalid_grant", authorization_url=console)

    stranger = eve.elsewhere()
    sent = stranger.open(OWN)
    assert sent.location == "/login?next=/connections/notes/"
    assert stranger.sign_in(stranger.open(sent.location)).location == "/connections/notes/"


def test_a_token_with_a_pairwise_subject_names_the_same_person(
    endpoint, granted, caller, register, person
):
    """N-204"""
    granted(endpoint(), owner=person.user_id)
    theirs = person.tokens(register(client_name="Apart", subject_type="pairwise"))

    answer = ask(caller, own_token(caller), **for_person(theirs))
    assert answer.json["access_token"] == "a-1"


def passed_on(app, client, tokens):
    """Return the tokens that another client got for those of a person."""
    middle = machines.create(app, client, grant_types=[EXCHANGE], introspects=(RESOURCE,))
    return middle.post("/token", grant_type=EXCHANGE, **for_person(tokens)).get_json()


def test_a_token_on_the_word_of_an_organisation_opens_nothing_that_a_person_authorized(
    app, endpoint, granted, caller, confidential, person
):
    granted(endpoint(), owner=person.user_id)
    theirs, token = for_person(person.tokens(confidential)), own_token(caller)
    assert ask(caller, token, **theirs).status_code == 200
    with app.app_context():
        grant = db.session.scalars(db.select(Grant)).one()
        consent = db.session.scalars(db.select(Consent)).one()
        consent.id, consent.given_by = grant.id, "acme"
        db.session.commit()

    assert_refused(ask(caller, token, **theirs), "invalid_request")


def test_a_subject_token_that_the_client_may_not_use_is_refused(
    app, client, endpoint, granted, caller, confidential, person
):
    granted(endpoint(), owner=person.user_id)
    token, theirs = own_token(caller), person.tokens(confidential)
    elsewhere = person.tokens(confidential, resource=None)

    for wrong in (
        for_person(theirs, subject_token_type=None),
        for_person(theirs, subject_token_type="urn:ietf:params:oauth:token-type:jwt"),
        for_person(theirs, subject_token="nonsense"),
        for_person(theirs, subject_token=theirs["refresh_token"]),
        for_person(elsewhere),
        for_person({"access_token": token}),
        for_person(passed_on(app, client, theirs)),
    ):
        assert_refused(ask(caller, token, **wrong), "invalid_request")
    with app.app_context():
        users.disable(db.session.get(users.User, person.user_id), by=SERVER)
        db.session.commit()
    assert_refused(ask(caller, token, **for_person(theirs)), "invalid_request")


def test_who_proves_nothing_or_too_little_gets_nothing(
    endpoint, granted, caller, confidential, person
):
    granted(endpoint())
    for token in (None, "nonsense", own_token(caller, scope="mcp:read", resource=RESOURCE)):
        answer = ask(caller, token)
        assert_refused(answer, "invalid_token", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    basic = caller.post(PATH)
    assert_refused(basic, "invalid_token", 401)

    of_person = person.tokens(confidential, resource=None)["access_token"]
    for token in (own_token(caller, scope="mcp:read"), of_person):
        assert_refused(ask(caller, token), "insufficient_scope", 403)


def test_a_token_that_was_ended_opens_nothing(endpoint, granted, caller):
    granted(endpoint())
    token = own_token(caller)
    assert caller.revoke(token).status_code == 200

    assert_refused(ask(caller, token), "invalid_token", 401)


def test_what_is_not_there_or_cannot_be_had_is_said_as_json(app, endpoint, granted, caller, clock):
    server = endpoint(said(503), said(400, {"error": "invalid_grant"}))
    granted(server)
    assert_refused(ask(caller, own_token(caller), "/connections/x/token"), "not_found", 404)
    clock.advance(3600)

    token = own_token(caller)
    assert_refused(ask(caller, token), "temporarily_unavailable", 503)
    for _ in range(2):
        assert_refused(ask(caller, token), "invalid_grant", authorization_url=grant(app)[0])


def test_scopes_beyond_those_granted_are_noted_for_whom_they_are_of(
    app, endpoint, granted, caller, confidential, person, audited
):
    granted(endpoint(), owner=person.user_id)
    token, theirs = own_token(caller), for_person(person.tokens(confidential))

    assert ask(caller, token, scope="read", **theirs).json["scope"] == "read"
    more = ask(caller, token, scope="read write", **theirs)
    assert_refused(more, "invalid_scope", authorization_url=OWN)

    assert grant(app, person.user_id)[1].wanted_scope == "write"
    refused = audited("request.refused")[-1]
    assert (refused.client_id, refused.detail["scope"]) == (caller.client_id, "write")
    assert ask(caller, token, **theirs).json["access_token"] == "a-1", "what there is goes on"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("overrides", [{"issuer": f"{ISSUER}/tenant/one"}])
def test_the_page_to_authorize_at_is_under_the_path_of_the_issuer(endpoint, granted, caller):
    granted(endpoint(), owner="u-ada")
    wanted = {"grant_type": "client_credentials", "scope": SCOPE}
    token = caller.post("/tenant/one/token", **wanted).json["access_token"]

    answer = ask(caller, token, f"/tenant/one{PATH}")

    there = f"{ISSUER}/tenant/one/admin/connections/"
    assert answer.json["authorization_url"].startswith(there)


def test_scopes_that_are_malformed_or_of_nobody_are_not_noted(
    app, endpoint, granted, caller, confidential, person
):
    granted(endpoint())
    token, theirs = own_token(caller), for_person(person.tokens(confidential))

    for wrong in ("read  write", " write", 'wri"te', "wri\nte", "é", "w" * (SCOPE_LENGTH + 1)):
        assert_refused(ask(caller, token, scope=wrong), "invalid_scope")
    nobody = ask(caller, token, scope="write", **theirs)
    assert_refused(nobody, "invalid_grant", authorization_url=OWN)

    console, held = grant(app)
    assert held.wanted_scope is None
    longest = ask(caller, token, scope="w" * SCOPE_LENGTH)
    assert_refused(longest, "invalid_scope", authorization_url=console)


def test_a_login_of_this_server_has_no_token_of_a_person(
    app, endpoint, caller, confidential, person
):
    draft = Draft(token_endpoint=endpoint().url, client_id="us", client_secret="s")
    with app.app_context():
        key = app.extensions["gatewright.keys"]["connections"]
        connections.create("notes", draft, key, by=SERVER)
        db.session.commit()

    theirs = person.tokens(confidential)

    assert_refused(ask(caller, own_token(caller), **for_person(theirs)), "invalid_request")
