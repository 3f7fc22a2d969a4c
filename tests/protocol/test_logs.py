"""No credential reaches a log, the audit trail or the database as it is (security.md X-72)."""

import logging

import sqlalchemy as sa

from app.domain import registration_tokens
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import REDIRECT, SCOPES, Machine, pkce, send
from tests.protocol.persons import PASSWORD, find_form, new_http
from tests.protocol.test_waiting import approve

COOKIE = "__Host-gatewright"


def initial_token(app):
    with app.app_context():
        _, value = registration_tokens.create("canary", by=SERVER)
        db.session.commit()
    return value


def registered(client, token):
    """Register over HTTP and read, update and read again as the registrant."""
    document = {
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": f"openid offline_access {SCOPES}",
    }
    bearer = {"Authorization": f"Bearer {token}"}
    answer = client.post("/register", json=document, headers=bearer).get_json()
    machine = Machine(
        client,
        answer["client_id"],
        "client_secret_basic",
        answer["client_secret"],
        answer["registration_access_token"],
    )
    own = {"Authorization": f"Bearer {machine.registration_token}"}
    assert client.get(f"/clients/{machine.client_id}", headers=own).status_code == 200
    return machine


def used(person, machine):
    """Use everything once rightly and once wrongly; return what must stay secret."""
    proof, scope = pkce(), f"openid offline_access {SCOPES}"
    secrets = {
        "verifier": proof.verifier,
        "password": PASSWORD,
        "wrong password": "canary-pass-word",
    }
    person.sign_in(password=secrets["wrong password"])
    before = person.http.get_cookie(COOKIE, domain="gatewright.example").value
    page = person.consent_page(machine, code_challenge=proof.challenge, scope=scope)
    secrets["ticket"] = find_form(page, "/consent").fields["ticket"]
    secrets["code"] = person.decide(page).location.partition("code=")[2].partition("&")[0]
    machine.redeem(secrets["code"], code_verifier="canary-verifier-" + "a" * 40)
    tokens = machine.redeem(secrets["code"], code_verifier=proof.verifier).get_json()
    renewed = machine.refresh(tokens["refresh_token"]).get_json()
    for number, answer in enumerate((tokens, renewed)):
        kinds = ("access_token", "refresh_token", "id_token")
        secrets |= {f"{kind} {number}": answer[kind] for kind in kinds if kind in answer}
        for kind in ("access_token", "refresh_token"):
            machine.introspect(answer[kind])
            assert person.open("/login", query_string={"next": answer[kind]}).status_code == 303
    machine.redeem(secrets["code"], code_verifier=proof.verifier)
    machine.revoke(renewed["refresh_token"])
    misplaced(machine, renewed, secrets)
    cookie = person.http.get_cookie(COOKIE, domain="gatewright.example").value
    return secrets | {"cookie": cookie, "cookie before sign-in": before}


def misplaced(machine, tokens, secrets):
    """Put credentials where they do not belong, as confused clients do."""
    http, secret = machine.http, machine.secret
    http.get("/token", query_string=tokens)
    http.get("/authorize", query_string={"client_id": machine.client_id, "code": secrets["code"]})
    http.get("/authorize", query_string={"client_id": secret, "redirect_uri": REDIRECT})
    http.post(f"/token?client_secret={secret}")
    send(http, "/token", {"client_id": machine.client_id, "client_secret": secret})
    send(http, "/introspect", {"token": secret, "client_id": "x", "client_secret": secret})
    http.post("/token", json={"client_secret": secret, "password": PASSWORD})
    for value in (*tokens.values(), secret):
        bearer = {"Authorization": f"Bearer {value}"}
        http.get(f"/clients/{machine.client_id}", headers=bearer)
        http.post("/register", json={}, headers=bearer)


def dump(app):
    """Return the whole database as text."""
    with app.app_context():
        names = sa.inspect(db.engine).get_table_names()
        assert {"audit_events", "clients", "sessions", "refresh_tokens"} <= set(names)
        rows = (db.session.execute(sa.text(f"SELECT * FROM {name}")).all() for name in names)
        return "\n".join(str(tuple(row)) for found in rows for row in found)


def test_no_credential_is_written_anywhere(app, person, written_log, caplog, subtests):
    """X-72, C-12: after a whole run with every credential used, replayed and misplaced."""
    caplog.set_level(logging.DEBUG)
    initial = initial_token(app)
    machine = registered(new_http(app), initial)
    approve(app, machine)
    secrets = used(person, machine) | {
        "initial access token": initial,
        "registration access token": machine.registration_token,
        "client secret": machine.secret,
        "basic": machine.basic["Authorization"].partition(" ")[2],
    }
    assert len(secrets) == 17
    assert all(len(value) >= 16 for value in secrets.values())

    sinks = {"log": written_log.getvalue(), "logging": caplog.text, "database": dump(app)}
    assert sinks["log"].count("\n") > 20
    assert machine.client_id in sinks["database"]
    for name, text in sinks.items():
        for kind, value in secrets.items():
            with subtests.test(f"{kind} in {name}"):
                assert value not in text


def test_the_log_has_one_line_for_each_request_without_its_query(client, written_log):
    client.get("/authorize?client_id=canary&state=canary", headers={"Referer": "https://canary/"})

    (line,) = written_log.getvalue().splitlines()
    assert '"path":"/authorize"' in line
    assert "canary" not in line


def test_a_path_cannot_forge_a_line(client, written_log):
    """X-30"""
    client.get("/x%0a%7b%22event%22:%22request%22%7d%1b[31m")

    assert len(written_log.getvalue().splitlines()) == 1
    assert "\x1b" not in written_log.getvalue()
