"""Tokens of connections for our own clients: whose they are, and what never leaves."""

import pytest

from app.domain import admissions, client_metadata, connections, scopes, users
from app.domain.audit import SERVER
from app.domain.connection_drafts import Draft
from app.extensions import db
from app.protocol.connection_tokens import SCOPE, SUBJECT_TYPE
from tests.outbound.grants import endpoint as endpoint
from tests.outbound.grants import granted as granted
from tests.protocol.machines import FORM, RESOURCE, SCOPES, assert_refused, form, known
from tests.services.gate import said, token_answer

PATH = "/connections/notes/token"


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
    named = {"subject_token": tokens["access_token"], "subject_token_type": SUBJECT_TYPE}
    return named | changes


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


def test_a_token_that_ran_out_is_renewed_first(endpoint, granted, caller, clock):
    granted(endpoint(token_answer("a-2", refresh_token="c4n4ry-refresh", expires_in=None)))
    clock.advance(3600)

    answer = ask(caller, own_token(caller))

    assert answer.json == {"access_token": "a-2", "token_type": "Bearer", "scope": "read"}


def test_a_login_of_this_server_gives_its_tokens_too(app, endpoint, caller, clock):
    server = endpoint(token_answer("l-1"))
    draft = Draft(token_endpoint=server.url, client_id="us", client_secret="s", scope="bill")
    with app.app_context():
        key = app.extensions["gatewright.keys"]["connections"]
        connections.create("notes", draft, key, by=SERVER)
        db.session.commit()

    answer = ask(caller, own_token(caller))

    assert (answer.json["access_token"], answer.json["scope"]) == ("l-1", "bill")
    assert answer.json["expires_in"] == 3600


def test_a_person_is_named_by_a_token_of_theirs(
    endpoint, granted, caller, confidential, person, enrol
):
    granted(endpoint(), owner=person.user_id)
    token, theirs = own_token(caller), person.tokens(confidential)

    assert ask(caller, token, **for_person(theirs)).json["access_token"] == "a-1"
    other = enrol("eve@people.example").tokens(confidential)
    assert_refused(ask(caller, token, **for_person(other)), "invalid_grant")
    assert_refused(ask(caller, token), "invalid_grant")


def test_a_subject_token_that_the_client_may_not_use_is_refused(
    app, endpoint, granted, caller, confidential, person
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


def test_what_is_not_there_or_cannot_be_had_is_said_as_json(endpoint, granted, caller, clock):
    server = endpoint(said(503), said(400, {"error": "invalid_grant"}))
    granted(server)
    assert_refused(ask(caller, own_token(caller), "/connections/x/token"), "not_found", 404)
    clock.advance(3600)

    token = own_token(caller)
    assert_refused(ask(caller, token), "temporarily_unavailable", 503)
    assert_refused(ask(caller, token), "invalid_grant")
    assert_refused(ask(caller, token), "invalid_grant")


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
