"""Clients made by hand: three kinds, credentials once, commands that run as they stand."""

import json
import shlex
import subprocess
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from app.console import snippets
from app.domain import admissions, audit, client_metadata, resources, scopes, signing_keys
from app.domain.audit import SERVER, Filters, Tag
from app.domain.client_records import Client, load
from app.extensions import db
from tests.conftest import ISSUER
from tests.console.markup import controls, texts
from tests.console.matrix import rows
from tests.flows.person import Browser
from tests.flows.world import add_person
from tests.services.process import free_port

NEW = "/admin/clients/new"
URI = "https://shop.example/cb"
RESOURCE = "https://mcp.example/mcp"


@pytest.fixture
def catalogue(app):
    """Describe two scopes, one of them default, and a resource; make the signing key."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, is_default=True)
        scopes.create("write", "Change things", by=SERVER)
        resources.create(RESOURCE, "Tool server", ["tools"], by=SERVER)
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        db.session.commit()


@pytest.fixture
def create(admin, csrf, catalogue):
    """Return a function that sends the form of a kind."""
    token = csrf(admin)

    def send(kind, **fields):
        form = {"csrf_token": token, "kind": kind, "name": "Shop", "everywhere": "on"}
        form |= {"scopes": ["tools"]} | ({} if kind == "service" else {"redirect_uris": URI})
        filled = (form | fields).items()
        return admin.post(NEW, data={name: value for name, value in filled if value is not None})

    return send


def copied(page, label):
    """Return what a copy button of the page copies."""
    [button] = controls(page, "button", **{"data-copied": f"{label} copied"})
    return button["data-copy"]


def test_the_first_step_offers_three_kinds(admin, catalogue):
    page = admin.get(NEW).text

    for kind in ("web", "native", "service"):
        assert controls(page, "a", href=f"{NEW}?kind={kind}")


def test_a_service_is_offered_no_scope_that_is_about_a_person(admin, catalogue):
    def offered(kind):
        page = admin.get(f"{NEW}?kind={kind}").text
        return {box["value"]: "checked" in box for box in controls(page, name="scopes")}

    assert offered("service") == {"tools": True, "write": False}
    assert set(offered("web")) == {"tools", "write", "openid", "offline_access"}


@pytest.mark.parametrize(
    "kind, metadata",
    [
        (
            "web",
            {
                "application_type": "web",
                "redirect_uris": [URI],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
            },
        ),
        (
            "native",
            {
                "application_type": "native",
                "redirect_uris": [URI],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            },
        ),
        (
            "service",
            {
                "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic",
            },
        ),
    ],
)
def test_each_kind_is_active_at_once_with_the_metadata_of_its_kind(create, app, kind, metadata):
    answer = create(kind)

    assert answer.status_code == 200
    client_id = copied(answer.text, "client_id")
    with app.app_context():
        row = db.session.get(Client, client_id)
        assert row.client_metadata == metadata | {"client_name": "Shop"}
        assert (row.source, row.registration_token_digest) == ("console", None)
        record = load(client_id)
        assert record.standing(0) == "active"
        assert (record.scopes, record.resources) == ({"tools"}, None)
        assert record.decided_by == "admin@example.org"
        [event] = audit.find_page(Filters(tag=Tag.CLIENT_CREATED), size=5)
        assert (event.subject, event.actor_name) == (client_id, "admin@example.org")


def test_the_secret_is_shown_once_and_stored_nowhere(create, admin, app):
    answer = create("web")

    secret, client_id = copied(answer.text, "Client secret"), copied(answer.text, "client_id")
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in admin.get(f"/admin/clients/{client_id}?tab=json").text
    assert secret not in json.dumps(rows(app))
    with app.app_context():
        assert load(client_id).has_secret(secret, 0)


def test_a_public_client_has_no_secret_anywhere_on_its_page(create):
    page = create("native").text

    assert "It has no secret" in texts(page)
    assert "client_secret" not in page
    assert "OAUTH_CLIENT_SECRET" not in page


def test_the_lines_for_an_env_file_and_the_json_hold_the_same_credentials(create, app):
    page = create("web").text

    env = dict(shlex.split(line)[0].split("=", 1) for line in copied(page, ".env").splitlines())
    information = json.loads(copied(page, "JSON"))

    assert env == {
        "OAUTH_ISSUER": ISSUER,
        "OAUTH_CLIENT_ID": copied(page, "client_id"),
        "OAUTH_CLIENT_SECRET": copied(page, "Client secret"),
        "OAUTH_REDIRECT_URI": URI,
    }
    assert information["client_id"] == env["OAUTH_CLIENT_ID"]
    assert information["client_secret"] == env["OAUTH_CLIENT_SECRET"]


def test_the_command_on_the_page_of_a_service_gets_a_token(create, client):
    words = shlex.split(copied(create("service").text, "Commands").replace("\\\n", ""))

    login = words[words.index("-u") + 1].split(":")
    sent = [words[at + 1] for at, word in enumerate(words) if word in ("-d", "--data-urlencode")]
    answer = client.post(
        "/token", data=dict(each.split("=", 1) for each in sent), auth=tuple(login)
    )

    assert words[2] == f"{ISSUER}/token"
    assert answer.status_code == 200
    assert answer.json["scope"] == "tools"


def test_a_service_may_be_kept_to_resources_and_may_introspect_their_tokens(create, app, client):
    answer = create("service", everywhere=None, resources=[RESOURCE], introspects=[RESOURCE])

    with app.app_context():
        record = load(copied(answer.text, "client_id"))
        assert (record.resources, record.introspects) == ({RESOURCE}, {RESOURCE})
    assert f"--data-urlencode resource={RESOURCE}" in copied(answer.text, "Commands")


@pytest.mark.parametrize(
    "kind, fields, field",
    [
        ("web", {"name": ""}, "name"),
        ("web", {"name": "a" * 101}, "name"),
        ("web", {"name": "turn\u202ened"}, "name"),
        ("web", {"name": "nul\0"}, "name"),
        ("web", {"redirect_uris": ""}, "redirect_uris"),
        ("web", {"redirect_uris": None}, "redirect_uris"),
        ("web", {"redirect_uris": "http://evil.example/"}, "redirect_uris"),
        ("web", {"redirect_uris": "com.example.app:/cb"}, "redirect_uris"),
        ("native", {"redirect_uris": "javascript:alert(1)"}, "redirect_uris"),
        ("native", {"redirect_uris": " ".join(f"{URI}{n}" for n in range(33))}, "redirect_uris"),
        ("service", {"everywhere": None}, "resources"),
        ("service", {"everywhere": None, "resources": "https://un.known/"}, "resources"),
    ],
)
def test_what_breaks_a_rule_of_registration_is_refused_beside_its_field(
    create, app, kind, fields, field
):
    before = rows(app)

    answer = create(kind, **fields)

    assert answer.status_code == 422
    assert controls(answer.text, "span", id=f"e-{field}")
    assert rows(app) == before


def test_what_was_typed_is_there_again_beside_the_fault(create):
    page = create("web", redirect_uris=f"{URI}\nhttp://evil.example/", scopes=["write"]).text

    assert controls(page, name="name", value="Shop")
    assert controls(page, name="scopes", value="write", checked=None)
    assert not controls(page, name="scopes", value="tools", checked=None)
    assert f"Accepted {URI} Refused http://evil.example/" in texts(page)


@pytest.mark.parametrize("kind", ["", "spa", "\0"])
def test_an_unknown_kind_makes_nothing(create, app, kind):
    before = rows(app)

    assert create(kind).status_code == 422
    assert rows(app) == before


@pytest.fixture
def served(app, serve, catalogue, request):
    """Serve the issuer that the snippets name; return a function that makes a client there."""
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
