"""The commands that people copy, run in a shell as they stand."""

import json
import subprocess
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from app.console import snippets
from app.domain import admissions, client_metadata, registration_tokens, resources, scopes
from app.domain.audit import SERVER
from app.extensions import db
from tests.flows.person import Browser
from tests.flows.world import add_person
from tests.services.process import free_port

RESOURCE = "https://mcp.example/mcp"


@pytest.fixture
def served(app, serve, signing_key):
    """Serve the issuer that the snippets name; return a function that makes a client there."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, is_default=True)
        resources.create(RESOURCE, "Tool server", ["tools"], by=SERVER)
        db.session.commit()
    serve(port=urlsplit(app.extensions["gatewright.settings"].issuer).port)
    person = add_person(app, "pia@example.org", "member")

    def make(redirect_uri=None, **metadata):
        uris = {"redirect_uris": [redirect_uri]} if redirect_uri else {}
        parsed = client_metadata.parse({"client_name": "It's $HOME `x`", **uris, **metadata})
        issuer = app.extensions["gatewright.settings"].issuer
        with app.app_context():
            client, issued = admissions.create(parsed, by=SERVER, allowed=["tools"])
            db.session.commit()
            script = snippets.script(client, issuer, issued, ["tools"], [RESOURCE])
            env = snippets.credentials(client, issuer, issued)[".env"]
        return SimpleNamespace(script=script, env=env, person=person)

    return make


@pytest.fixture
def overrides(request):
    """Let the app of the snippet tests name the server that is really there."""
    real = "served" in request.fixturenames
    return {"issuer": f"http://127.0.0.1:{free_port()}"} if real else {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_commands_of_a_service_run_as_they_stand(served):
    made = served(grant_types=["client_credentials"])

    done = subprocess.run(["sh", "-c", made.script], capture_output=True, check=True, timeout=30)
    sourced = subprocess.run(
        ["sh", "-c", f"{made.env}\nprintf %s $OAUTH_CLIENT_ID"],
        capture_output=True,
        check=True,
        timeout=10,
    )

    assert json.loads(done.stdout)["scope"] == "tools"
    assert sourced.stdout.decode() in made.script


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_the_commands_of_an_app_sign_a_person_in_and_fetch_a_token(served, method):
    made = served(
        f"http://127.0.0.1:{free_port()}/cb?a=it's",
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method=method,
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

    with subprocess.Popen(["sh", "-c", made.script], **pipes) as shell, Browser() as browser:
        shell.stdout.readline()
        address = shell.stdout.readline().strip()
        code = consented(browser, address, made.person)
        said, _ = shell.communicate(f"{code}\n", timeout=30)

    assert shell.returncode == 0
    assert json.loads(said)["scope"] == "tools"


def consented(browser, address, person):
    """Sign in and allow; return the code from the address the browser is sent to."""
    browser.open(address)
    person.sign_in(browser)
    form = browser.page.form_with("Allow")
    sent = [*form.fields, ("decision", "allow")]
    names = {name: [value for key, value in sent if key == name] for name, _ in sent}
    headers = {"Referer": browser.page.url}
    target = urlsplit(browser.page.url)._replace(query="", path="").geturl() + form.action
    answer = browser.http.post(target, data=names, headers=headers)
    [code] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    return code


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_that_registers_a_client_runs_as_it_stands(app, serve):
    with app.app_context():
        _, token = registration_tokens.create("Pipeline", by=SERVER, uses=1)
        db.session.commit()
    server = serve()
    command = snippets.registration(server.base_url, token)

    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=30)

    assert json.loads(done.stdout)["client_name"] == "My app"
