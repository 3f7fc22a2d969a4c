"""The twins of a request that the page Acquire shows, run as they stand against a real server."""

import json
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from app.console import twins
from app.console.exchanges import Call, of_client
from app.domain import client_records, registration_tokens
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.acquiring import ONE
from tests.console.acquiring import make as make
from tests.services import node
from tests.services.process import free_port

RUNNERS = {
    "curl": ["sh", "-c"],
    "Python": [sys.executable, "-c"],
    "JavaScript": ["node", "--input-type=module", "-e"],
}
NAME = 'It\'s "$HOME" \\ `x` é'
METADATA = json.dumps({"client_name": NAME, "redirect_uris": ["com.example.app:/cb"]})


@pytest.fixture
def overrides():
    return {"issuer": f"http://127.0.0.1:{free_port()}"}


@pytest.fixture
def call_of(app, make):
    """Return a function that makes a call of a new client, and what it needs to prove itself."""

    def called(method, path, **parameters):
        made = make("client_credentials", token_endpoint_auth_method=method)
        with app.app_context():
            return of_client(client_records.load(made.client_id), path, "", parameters), made

    return called


def run(app, call, **environment):
    """Return what each language prints."""
    with app.app_context():
        written = twins.of_call(call)
        assert set(twins.variables(call)) <= set(environment)
    return {
        language: subprocess.run(
            [*RUNNERS[language], text],
            capture_output=True,
            check=True,
            timeout=30,
            text=True,
            env=node.environment() | environment,
        ).stdout
        for language, text in written.items()
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_twins_get_ask_about_and_register_as_they_stand(app, serve, call_of):
    serve(port=urlsplit(app.extensions["gatewright.settings"].issuer).port)
    wanted = {"grant_type": "client_credentials", "scope": "tools", "resource": ONE}
    basic, one = call_of("client_secret_basic", "/token", **wanted)
    post, two = call_of("client_secret_post", "/token", **wanted)
    with app.app_context():
        _, initial = registration_tokens.create("Twins", by=SERVER)
        db.session.commit()

    got = run(app, basic, CLIENT_SECRET=one.secret)
    posted = run(app, post, CLIENT_SECRET=two.secret)
    token = json.loads(got["curl"])["access_token"]
    asking = Call("/introspect", {"token": "to be hidden"}, login=basic.login)
    asked = run(app, asking, CLIENT_SECRET=one.secret, TOKEN=token)
    register = Call("/register", body=METADATA, bearer="to be hidden")
    made = run(app, register, INITIAL_ACCESS_TOKEN=initial)

    for tokens in (got, posted):
        assert {json.loads(said)["scope"] for said in tokens.values()} == {"tools"}
    assert {json.loads(said)["client_id"] for said in asked.values()} == {one.client_id}
    assert [json.loads(said).get("client_name") for said in made.values()] == [NAME] * 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_credential_is_written_into_a_twin(app):
    secret = "a very secret value"
    sent = {"refresh_token": secret, "code": secret, "code_verifier": secret, "token": secret}
    call = Call("/token", sent | {"client_secret": secret}, bearer=secret, login=("id", secret))

    with app.app_context():
        written = twins.of_call(call)

    assert set(written) == set(RUNNERS)
    assert [text for text in written.values() if secret in text] == []
    assert secret not in repr(call)
