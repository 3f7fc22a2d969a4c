"""Clients made by hand: three kinds, credentials once, commands that run as they stand."""

import json
import shlex

import pytest

from app.domain import resources, scopes
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.client_records import Client, load
from app.domain.grant_types import BY_HAND
from app.extensions import db
from tests.conftest import ISSUER
from tests.console.markup import controls, texts
from tests.console.matrix import rows

NEW = "/admin/clients/new"
URI = "https://shop.example/cb"
LOOPBACK = "http://127.0.0.1/cb"
RESOURCE = "https://mcp.example/mcp"


@pytest.fixture
def catalogue(app, signing_key):
    """Describe two scopes, one of them default, and a resource."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, is_default=True)
        scopes.create("write", "Change things", by=SERVER)
        resources.create(RESOURCE, "Tool server", ["tools"], by=SERVER)
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
    assert set(offered("web")) == {"tools", "write", *scopes.BUILT_IN}


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
def test_each_kind_is_active_at_once_with_the_metadata_of_its_kind(
    create, app, happened, kind, metadata
):
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
    [event] = happened(Tag.CLIENT_CREATED)
    assert (event.subject, event.actor_name) == (client_id, "admin@example.org")


def test_an_app_may_know_people_by_identifiers_of_its_own(create, admin, app):
    """N-204"""
    client_id = copied(create("web", pairwise="on").text, "client_id")

    with app.app_context():
        assert load(client_id).openid.sector == "shop.example"
    shown = " ".join(texts(admin.get(f"/admin/clients/{client_id}").text).split())
    assert "by identifiers of its own, made for shop.example" in shown


@pytest.mark.parametrize(
    "kind, kept", [("web", BY_HAND), ("service", BY_HAND), ("native", ())], ids=str
)
def test_only_what_proves_itself_may_act_for_people_unasked(create, admin, app, kind, kept):
    offered = controls(admin.get(f"{NEW}?kind={kind}").text, name="unasked")
    assert [box["value"] for box in offered] == [*kept]
    assert not any("checked" in box for box in offered)

    answer = create(kind, unasked=[*BY_HAND, "implicit"])

    with app.app_context():
        granted = load(copied(answer.text, "client_id")).grant_types
    assert granted & {*BY_HAND, "implicit"} == set(kept)


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
        ("native", {"redirect_uris": LOOPBACK, "pairwise": "on"}, "sector_identifier_uri"),
        ("web", {"sector_identifier_uri": "https://10.0.0.1/s"}, "sector_identifier_uri"),
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
