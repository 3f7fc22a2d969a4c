"""What the registration gate is asked with: our credentials, shown to it and to nobody else."""

import pytest

from app.extensions import db
from tests.cli.conftest import ON_ONE_DATABASE
from tests.protocol import machines
from tests.protocol.gates import KEY, OAUTH2, SECRET
from tests.protocol.gates import gated as gated
from tests.protocol.gates import scripts as scripts
from tests.protocol.registrants import post
from tests.services.gate import ALLOWED, said, token_answer

TOKEN = "c4n4ry-0123456789-token"


def dump(app):
    """Return all audit events and software as text."""
    with app.app_context():
        tables = (db.metadata.tables[name] for name in ("audit_events", "software", "clients"))
        rows = (db.session.execute(db.select(table)).all() for table in tables)
        return "\n".join(str(tuple(row)) for found in rows for row in found)


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "answer",
    [ALLOWED, said(403, {"error": f"{KEY} {TOKEN}"}), said(500)],
    ids=["200", "403", "500"],
)
def test_our_credentials_are_shown_to_nobody(app, gated, scripts, capsys, answer):
    """X-72: neither in an answer nor in the log nor in what is stored."""
    tokens = scripts(token_answer(TOKEN), said(400, {"error": SECRET}))
    oauth2 = OAUTH2 | {"oauth2_token_url": tokens.url}
    bearer = {"auth_type": "bearer", "auth_credential": KEY}

    answers = [post(gated(scripts(answer).url, **access)) for access in (bearer, oauth2, oauth2)]

    shown = f"{[each.text for each in answers]} {capsys.readouterr()} {dump(app)}"
    assert "token_not_acquired" in shown
    for secret in (KEY, TOKEN, SECRET):
        assert secret not in shown


@pytest.mark.slow
@ON_ONE_DATABASE
def test_another_server_of_this_kind_gives_the_token(
    app, client, gated, scripts, serve, settings, audited
):
    """The whole way with nothing faked but the gate itself."""
    elsewhere = serve()
    machine = machines.create(app, client)
    gate = scripts(ALLOWED)
    http = gated(
        gate.url,
        auth_type="oauth2_client_credentials",
        oauth2_token_url=f"{elsewhere.base_url}/token",
        oauth2_client_id=machine.client_id,
        oauth2_client_secret=machine.secret,
    )

    for name in ("One", "Two"):
        assert post(http, client_name=name).status_code == 201

    first, second = (head["authorization"] for head in gate.heads)
    assert first == second
    assert first.startswith("Bearer ey")
    assert len(audited("token.issued")) == 1
