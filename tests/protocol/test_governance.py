"""Ways around what operators decided that no single noun answers for (security.md, governance)."""

import pytest

from app.config import Settings
from app.domain import policy_versions, rules
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import SECRET_KEY
from tests.protocol import persons
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.registrants import BODY, Operator
from tests.routes.stage import REDIRECT, RESOURCE, SCOPE, staged
from tests.routes.table import TABLE
from tests.services.gate import ALLOWED, scripted

CONSOLE = [route for route in TABLE if route.door == "console"]
FORGED = "This page is too old or not ours"
ELSEWHERE = "https://elsewhere.example/gate"


def session_of(browser):
    """Return the value of the cookie of a browser."""
    return browser.get_cookie("__Host-gatewright", domain="gatewright.example").value


def issued_on(stage, password_hash):
    """Let the server issue what it issues; return all of it by name."""
    ada = persons.enrol(stage.app, "ada@people.example", "member", password_hash)
    own = stage.values["client_id"], "client_secret_post", stage.values["client_secret"]
    machine = Machine(stage.new_browser(), *own, redirect_uri=REDIRECT)
    asked = {"scope": SCOPE, "resource": RESOURCE}
    tokens = ada.tokens(machine, **asked)
    return stage.issued | {
        "secret": machine.secret,
        "secret of who waits": stage.waiting["client_secret"],
        "registration access token": stage.waiting["registration_access_token"],
        "code": ada.code(machine, **asked),
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "session": session_of(ada.http),
        "session of the viewer": session_of(stage.browser("viewer")),
        "secret key": SECRET_KEY,
    }


def kept_on(stage):
    """Return the digests and sealed values of the database, as text."""
    with stage.app.app_context():
        columns = [column for table in db.metadata.sorted_tables for column in table.c]
        hidden = [each for each in columns if each.name.endswith(("_digest", "_sealed", "_hash"))]
        found = [value for each in hidden for value in db.session.scalars(db.select(each))]
    return [value if isinstance(value, str) else value.hex() for value in found if value]


def test_a_viewer_reads_nothing_that_was_issued(sqlite_template, tmp_path, password_hash):
    """X-47: on no page and in no export; neither the value nor what is kept of it."""
    with staged(sqlite_template, tmp_path) as stage:
        issued, kept = issued_on(stage, password_hash), kept_on(stage)
        assert len(kept) > 10
        for route in CONSOLE:
            if route.role == "viewer":
                answer = stage.call(route, "viewer")
                shown = answer.get_data().decode(errors="replace")  # a logo is no text
                assert answer.status_code in (200, 303, 422), route
                assert [name for name, value in issued.items() if value in shown] == [], route
                assert [value for value in kept if value in shown] == [], route


def test_a_viewer_can_send_nothing_but_exports_and_simulations():
    """X-47: no button of a viewer makes this server ask somebody else, or change anything."""
    sent = {route.path for route in CONSOLE if (route.method, route.role) == ("POST", "viewer")}

    assert sent == {
        "/admin/audit/export.csv",
        "/admin/audit/export.json",
        "/admin/simulator/judge",
        "/admin/simulator/replay",
    }


def test_nothing_in_the_console_moves_the_gate(sqlite_template, tmp_path):
    """X-50: where it is and how we prove ourselves there is said in the environment alone."""
    names = [name for name in Settings.model_fields if name.startswith("registration_gate_")]
    moved = dict.fromkeys([*names, *(f"GATEWRIGHT_{name.upper()}" for name in names)], ELSEWHERE)
    with scripted() as start:
        gate = {"registration_gate_enabled": True, "registration_gate_url": start(ALLOWED).url}
        with staged(sqlite_template, tmp_path, **gate) as stage:
            before = stage.app.extensions["gatewright.gate"]
            access = before.access
            admin = stage.browser("admin")
            for route in [each for each in CONSOLE if each.method == "POST"]:
                form = stage.form_of(route) | moved | {"csrf_token": stage.tokens["admin"]}
                answer = stage.post(admin, stage.path_of(route), form)
                assert answer.status_code not in (401, 403), route
                assert FORGED not in answer.text, route
            assert stage.app.extensions["gatewright.gate"] is before
            assert before.access == access
            assert ELSEWHERE not in str(stage.snapshot())


def test_two_clients_of_one_software_cannot_spend_what_the_other_got(app, register, person):
    """X-52: that people approved both at once makes them no family."""
    one, twin = register(client_name="Twin"), register(client_name="Twin")
    assert len({Operator(app).software_id(each) for each in (one, twin)}) == 1
    code = person.code(one)

    assert_refused(twin.redeem(code), "invalid_grant")
    tokens = one.redeem(code).get_json()
    assert_refused(twin.refresh(tokens["refresh_token"]), "invalid_grant")
    twin.revoke(tokens["refresh_token"])
    assert one.refresh(tokens["refresh_token"]).status_code == 200


ADMITTED = ({"network": "10.0.0.0/8"}, {"source": "statement"}, {"initial_access_token": "*"})
CLAIMS = {
    "X-Forwarded-For": "10.0.0.1",
    "Forwarded": "for=10.0.0.1",
    "X-Real-IP": "10.0.0.1",
    "X-Initial-Access-Token": "iat_x",
    "X-Source": "statement",
}
MEMBERS = {
    "address": "10.0.0.1",
    "source": "statement",
    "initial_access_token": "iat_x",
    "token_terms": {"verdict": "admit"},
    "software_status": "approved",
    "evidence": {"source": "statement", "address": "10.0.0.1"},
}


@pytest.mark.parametrize("overrides", [{}, {"trusted_proxies": 1}], ids=["alone", "one proxy"])
def test_no_rule_is_met_by_what_a_caller_only_says(app, client, overrides):
    """X-54: rules look at what this server saw and verified, and at the word of its own proxy."""
    with app.app_context():
        wanted = [{"name": str(when), "outcome": "admit", "when": when} for when in ADMITTED]
        policy_versions.save(rules.all_from_json(wanted), 0, by=SERVER)
        db.session.commit()
    headers = CLAIMS | ({"X-Forwarded-For": "10.0.0.1, 192.0.2.1"} if overrides else {})

    answer = client.post("/register", json=BODY | MEMBERS, headers=headers)

    assert (answer.status_code, answer.get_json()["registration_status"]) == (201, "pending")
    assert MEMBERS.keys().isdisjoint(answer.get_json())
