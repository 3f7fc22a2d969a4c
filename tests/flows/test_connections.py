"""A connection of one server whose tokens come from another one of this kind."""

import shutil

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app import connection_uses, create_app
from app.config import load
from app.domain import admissions, client_metadata, connections, resources, scopes, signing_keys
from app.domain.audit import SERVER
from app.domain.connection_drafts import Draft
from app.extensions import db
from app.outbound import connection_trials
from tests.cli.conftest import ON_ONE_DATABASE
from tests.services.process import free_port

SCOPE, RESOURCE = "bills:read", "https://bills.example/"
OTHER_KEY = "another-server-0123456789abcdef0123456789ab"


@pytest.fixture
def port():
    """Return where the other server will be."""
    return free_port()


@pytest.fixture
def overrides(port):
    """Let this server ask the other one."""
    return {"outbound_allow": f"127.0.0.1:{port}"}


@pytest.fixture
def theirs(port, serve, sqlite_template, tmp_path):
    """Return a server of other people, as an application over its database."""
    shutil.copyfile(sqlite_template, tmp_path / "theirs.db")
    values = {
        "issuer": f"http://127.0.0.1:{port}",
        "database_url": f"sqlite:///{tmp_path / 'theirs.db'}",
        "secret_key": OTHER_KEY,
        "data_dir": tmp_path,
    }
    app = create_app(load(**values))
    with app.app_context():
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        scopes.create(SCOPE, "Read bills", by=SERVER)
        resources.create(RESOURCE, "Bills", [SCOPE], by=SERVER)
        db.session.commit()
    serve(port=port, **values)
    yield app
    with app.app_context():
        db.engine.dispose()


def client_of(theirs, **metadata):
    """Make a client there; return what identifies and proves it."""
    with theirs.app_context():
        asked = {"client_name": "Gatewright", "grant_types": ["client_credentials"]} | metadata
        client, issued = admissions.create(
            client_metadata.parse(asked), by=SERVER, allowed=[SCOPE], resources=[RESOURCE]
        )
        db.session.commit()
        return {"client_id": client.client_id, "client_secret": issued.client_secret or ""}


def hold(app, **members):
    """Hold a login there; return its manager and itself as it is used."""
    with app.app_context():
        draft = Draft(scope=SCOPE, resource=RESOURCE, **members)
        key = app.extensions["gatewright.keys"]["connections"]
        row = connections.create("bills", draft, key, by=SERVER)
        db.session.commit()
        managers = connection_uses.managers()
        return managers.of(row), managers.hold(row)


def claims_of(theirs, token):
    """Return what a token says that the other server signed."""
    keys = KeySet.import_key_set(theirs.test_client().get("/.well-known/jwks.json").json)
    return jwt.decode(token, keys, algorithms=["ES256"]).claims


@ON_ONE_DATABASE
def test_a_secret_gets_a_token_for_the_resource(app, theirs):
    issuer = theirs.extensions["gatewright.settings"].issuer
    known = client_of(theirs, token_endpoint_auth_method="client_secret_basic")
    tokens, _ = hold(app, token_endpoint=f"{issuer}/token", **known)

    claims = claims_of(theirs, tokens.token())

    assert (claims["iss"], claims["aud"], claims["scope"]) == (issuer, RESOURCE, SCOPE)
    assert claims["client_id"] == known["client_id"]


@ON_ONE_DATABASE
def test_our_own_key_proves_us_at_the_endpoint_that_an_issuer_names(app, client, theirs):
    with app.app_context():
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        db.session.commit()
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}
    known = client_of(theirs, **by_key, jwks=client.get("/.well-known/jwks.json").json)
    issuer = theirs.extensions["gatewright.settings"].issuer
    tokens, held = hold(app, issuer=issuer, auth_method="private_key_jwt", **known)

    assert claims_of(theirs, tokens.token())["client_id"] == known["client_id"]
    trial = connection_trials.make(tokens.outbound, app.extensions["gatewright.key_sets"], held)
    assert trial.signature == connection_trials.SIGNED
    assert [each.answer.status for each in trial.exchanges] == [200, 200]
