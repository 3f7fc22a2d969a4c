"""Making an initial access token: seen once, bounded as the form says, refused field by field."""

import json
import shlex

from app.domain import registration_tokens
from app.domain.audit_tags import Tag
from app.domain.obligations import NO_TERMS, Obligations, Terms
from tests.conftest import ISSUER
from tests.console.initial_tokens import LIST, PLAIN
from tests.console.markup import controls, texts
from tests.console.matrix import rows

FULL = {
    "name": "Team  Rosebud",
    "purpose": "The nightly build",
    "owner": "rosebud@people.example",
    "uses": "3",
    "lifetime": "7",
    "networks": "192.0.2.7\r\n\r\n 2001:DB8::/32 ",
    "verdict": "hold",
    "scopes": " a   b ",
    "resources": "https://one.example/",
    "access_token_seconds": "60",
    "approve_days": "30",
}


def test_an_admin_makes_a_token_and_sees_it_once(admin, send, app, clock, happened):
    page = admin.get(f"{LIST}new").text
    assert [name for name in FULL if f'name="{name}"' not in page] == []

    answer = send(admin, f"{LIST}new", **FULL)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    [copied] = controls(answer.text, "button", **{"data-copied": "Initial access token copied"})
    value = copied["data-copy"]
    assert value.startswith("iat_")
    with app.app_context():
        row = registration_tokens.get(registration_tokens.check(value, "", "192.0.2.7"))
        assert (row.name, row.uses_left, row.created_by) == ("Team Rosebud", 3, "admin@example.org")
        assert (row.purpose, row.owner) == ("The nightly build", "rosebud@people.example")
        assert row.expires_at == clock.now + 7 * 86400
        assert row.networks == ["192.0.2.7/32", "2001:db8::/32"]
        bounds = Obligations(("a", "b"), ("https://one.example/",), 60, 30)
        assert registration_tokens.terms(row.id) == Terms("hold", bounds)
    event = happened(Tag.INITIAL_TOKEN_CREATED)[0]
    assert event.actor_name == "admin@example.org"
    assert value not in json.dumps(event.detail)
    assert f'href="{LIST}{event.subject}"' in admin.get(f"/admin/audit/{event.id}").text
    assert value not in admin.get(LIST).text


def test_a_token_may_live_for_ever_and_register_without_limit(admin, send, app):
    send(admin, f"{LIST}new", **PLAIN | {"uses": "", "lifetime": "never"})

    with app.app_context():
        [row] = registration_tokens.find_all()
        assert (row.uses_left, row.expires_at, row.networks) == (None, None, [])
        assert registration_tokens.terms(row.id) == NO_TERMS


FAULTS = (
    ({"name": ""}, "name"),
    ({"name": "a" * 101}, "name"),
    ({"name": "nul\0"}, "name"),
    ({"name": "turn\u202ened"}, "name"),
    ({"purpose": "a" * 201}, "purpose"),
    ({"owner": "nul\0"}, "owner"),
    ({"uses": "0"}, "uses"),
    ({"uses": "1000001"}, "uses"),
    ({"uses": "-1"}, "uses"),
    ({"uses": "many"}, "uses"),
    ({"uses": "\u0661"}, "uses"),
    ({"lifetime": "2"}, "lifetime"),
    ({"lifetime": ""}, "lifetime"),
    ({"networks": "192.0.2.1/24"}, "networks"),
    ({"networks": "office"}, "networks"),
    ({"networks": "\n".join(f"10.0.0.{last}" for last in range(201))}, "networks"),
    ({"verdict": ""}, "verdict"),
    ({"verdict": "refuse"}, "verdict"),
    ({"scopes": 'a"b'}, "scopes"),
    ({"resources": "https://one.example/#x"}, "resources"),
    ({"access_token_seconds": "29"}, "access_token_seconds"),
    ({"approve_days": "0"}, "approve_days"),
)


def test_a_token_that_cannot_be_is_refused_beside_its_field(admin, csrf, app, subtests):
    token, before = csrf(admin), rows(app)
    for change, field in FAULTS:
        with subtests.test(change):
            answer = admin.post(f"{LIST}new", data=FULL | {"csrf_token": token} | change)
            assert answer.status_code == 422
            assert [each["id"][2:] for each in faults(answer.text)] == [field]
            assert controls(answer.text, name="owner" if field != "owner" else "purpose")
    assert rows(app) == before


def faults(page):
    """Return the sentences beside the fields of a page."""
    return [each for each in controls(page, "span") if each.get("id", "").startswith("e-")]


def test_what_was_typed_stays_when_something_is_wrong(admin, send):
    page = send(admin, f"{LIST}new", **FULL | {"networks": "192.0.2.7\n192.0.2.1/24"}).text

    assert "Line 2: A network is written like" in texts(page)
    assert "192.0.2.7\n192.0.2.1/24</textarea>" in page
    for name in ("purpose", "owner", "uses", "scopes", "access_token_seconds", "approve_days"):
        assert controls(page, name=name, value=FULL[name])
    assert controls(page, name="verdict", value="hold", checked=None)
    assert controls(page, "option", value="7", selected=None)


def test_the_command_on_the_page_holds_the_token_and_registers_a_client(admin, send, client):
    page = send(admin, f"{LIST}new", **PLAIN).text
    [copied] = controls(page, "button", **{"data-copied": "Command copied"})

    words = shlex.split(copied["data-copy"])

    assert words[:3] == ["curl", "-sS", f"{ISSUER}/register"]
    headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
    answer = client.post("/register", data=words[words.index("-d") + 1], headers=headers)
    assert answer.status_code == 201
    assert client.post("/register", data=words[-1], headers=headers).status_code == 401
