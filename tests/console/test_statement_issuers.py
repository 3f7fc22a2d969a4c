"""Statement issuers, as operators trust, read and remove them."""

import json

import pytest

from app.domain import statement_issuers
from app.domain.audit_tags import Tag
from app.extensions import db
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import gets, harmful, posts, rows, unlisted, ways_to_act, wrongly_reached
from tests.protocol import vendors
from tests.protocol.vendors import KEYS_URI, VENDOR

LIST = "/admin/statement-issuers/"
NEW = f"{LIST}new"
ROUTES = (
    ("GET", LIST, "viewer"),
    ("GET", NEW, "admin"),
    ("POST", NEW, "admin"),
    ("POST", f"{LIST}remove/unknown", "admin"),
)
FORM = {"issuer": VENDOR, "jwks_uri": KEYS_URI, "algorithms": ["ES256", "RS256"]}
FAULTS = (
    ({"issuer": ""}, "issuer"),
    ({"issuer": "vendor example"}, "issuer"),
    ({"issuer": "https://gatewright.example"}, "issuer"),
    ({"jwks_uri": ""}, "jwks_uri"),
    ({"jwks_uri": "http://vendor.example/"}, "jwks_uri"),
    ({"jwks": '{"keys": []}'}, "jwks"),
    ({"jwks": "no keys", "jwks_uri": ""}, "jwks"),
    ({"jwks": '{"keys": [{"kty": "oct", "k": "AAAA"}]}', "jwks_uri": ""}, "jwks"),
    ({"algorithms": []}, "algorithms"),
    ({"algorithms": ["HS256"]}, "algorithms"),
    ({"software_ids": "a\u202eb"}, "software_ids"),
    ({"note": "a" * 501}, "note"),
)


@pytest.fixture
def listed(app):
    """Return a function that reads the trusted issuers."""

    def read():
        with app.app_context():
            return list(statement_issuers.find_all())

    return read


def test_an_admin_trusts_an_issuer_and_removes_it(admin, send, listed, happened):
    answer = send(admin, NEW, **FORM, software_ids="one\r\n\r\n two \n", note="The vendor")

    assert (answer.status_code, answer.location) == (303, LIST)
    (row,) = listed()
    assert (row.issuer, row.jwks_uri, row.jwks) == (VENDOR, KEYS_URI, None)
    assert (row.algorithms, row.software_ids) == (["ES256", "RS256"], ["one", "two"])
    assert (row.note, row.created_by) == ("The vendor", "admin@example.org")
    (event,) = happened(Tag.STATEMENT_ISSUER_CREATED)
    assert (event.subject, event.detail["issuer"]) == (row.id, VENDOR)
    said = texts(admin.get(LIST).text)
    assert all(each in said for each in (VENDOR, KEYS_URI, "ES256, RS256", "one", "The vendor"))

    assert send(admin, NEW, **FORM).status_code == 422, "it is trusted already"
    assert send(admin, f"{LIST}remove/{row.id}").status_code == 303
    assert listed() == []
    assert happened(Tag.STATEMENT_ISSUER_REMOVED)[0].detail["issuer"] == VENDOR
    assert send(admin, f"{LIST}remove/{row.id}").status_code == 404


def test_keys_can_be_entered_themselves(admin, send, listed):
    keys = vendors.key_set("ES256")

    send(admin, NEW, **FORM | {"jwks_uri": "", "jwks": json.dumps(keys)})

    assert (listed()[0].jwks, listed()[0].jwks_uri) == (keys, "")
    assert "ES256" in texts(admin.get(LIST).text)


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(admin, csrf, app):
    token, before, wrong = csrf(admin), rows(app), []
    for change, field in FAULTS:
        answer = admin.post(NEW, data={"csrf_token": token} | FORM | change)
        beside = controls(answer.text, "a", href=f"#f-{field}")
        if (answer.status_code, len(beside)) != (422, 1) or f'id="e-{field}"' not in answer.text:
            wrong.append((change, answer.status_code))
        assert controls(answer.text, name="issuer", value=change.get("issuer", VENDOR))
    assert wrong == []
    assert rows(app) == before


def test_a_hostile_name_adds_no_element_and_a_viewer_has_nothing_to_press(app, viewer, listed):
    vendors.trust(app, note="plain", software_ids=["plain"])
    plain = shape(viewer.get(LIST).text)
    assert ways_to_act(viewer.get(LIST).text) == set()

    for name in HOSTILE:
        with app.app_context():
            row = statement_issuers.trusted(VENDOR)
            row.note, row.software_ids, row.issuer = name, [name], VENDOR
            db.session.commit()
        assert shape(viewer.get(LIST).text) == plain


def test_each_address_is_open_to_its_role_and_those_above(anybody):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []


def test_every_address_has_a_role_and_looking_or_forging_changes_nothing(app, admin):
    """C-20, C-21, C-40."""
    vendors.trust(app)
    assert unlisted(app, "statement_issuers", ROUTES) == set()
    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 400, data=FORM) == []
