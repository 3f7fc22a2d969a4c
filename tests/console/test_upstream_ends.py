"""Ending what was authorized: forgotten here, ended there, and told where that failed."""

import pytest

from app.domain import connections, upstreams
from app.domain.upstreams import MEANWHILE
from app.extensions import db
from app.upstream_steps import UNREADABLE
from tests.console.markup import texts
from tests.console.upstreaming import LIST, MANAGING
from tests.console.upstreaming import upstream as upstream
from tests.domain.held_connections import OPERATOR
from tests.outbound.sites import OAUTH
from tests.outbound.sites import api as api
from tests.outbound.sites import login as login
from tests.outbound.sites import site as site
from tests.services.gate import said


def test_revoking_forgets_here_and_ends_there(upstream):
    upstream.authorized()

    assert upstream.do("revoke").location == upstream.page

    assert upstream.tokens() is None
    ended = [form["token_type_hint"] for form in upstream.forms("/revoke")]
    assert ended == [["refresh_token"], ["access_token"]]
    assert "or that has ended" in texts(upstream.admin.get(upstream.page).text)


def test_deleting_ends_tokens_and_client_there_and_then_the_row(upstream, happened):
    upstream.authorized()

    assert upstream.do("delete", confirm_name="other").location == upstream.page
    assert upstream.do("delete", confirm_name="notes").location == LIST

    assert upstream.login.asked[-3:] == ["POST /revoke", "POST /revoke", "DELETE /clients/c-1"]
    assert f"Authorization: Bearer {MANAGING}".encode() in upstream.login.requests[-1]
    assert happened("connection.unregistered")[0].detail["failure"] == ""
    assert upstream.admin.get(upstream.page).status_code == 404


def test_what_cannot_be_ended_there_is_told_and_keeps_nothing_here(upstream, happened):
    upstream.authorized()
    upstream.login.pages["POST /revoke"] = said(503)
    upstream.login.pages["DELETE /clients/c-1"] = said(503)

    upstream.do("delete", confirm_name="notes")

    shown = texts(upstream.admin.get(LIST).text)
    assert "Some tokens could not be revoked there" in shown
    assert "The client there could not be deleted" in shown
    assert happened("connection.unregistered")[0].detail["failure"] == "status 503"
    assert upstream.admin.get(upstream.page).status_code == 404


def test_a_connection_whose_secrets_do_not_open_is_deleted_all_the_same(upstream):
    upstream.authorized()
    upstream.app.extensions["gatewright.keys"]["connections"] = b"another key of 32 bytes length!!"

    assert upstream.do("delete", confirm_name="notes").location == LIST

    assert UNREADABLE in texts(upstream.admin.get(LIST).text)
    assert "DELETE /clients/c-1" not in upstream.login.asked


def test_a_connection_that_led_nowhere_yet_is_deleted(upstream):
    upstream.make()

    assert upstream.do("delete", confirm_name="notes").location == LIST
    assert upstream.login.asked == []


def give(row):
    """Enter a client, as another operator does."""
    upstreams.note_registration(
        row, upstreams.Client("given", how="given"), row.revision, b"", by=OPERATOR
    )


def remove(row):
    """Delete the connection, as another operator does."""
    connections.remove(row, by=OPERATOR)


@pytest.mark.parametrize(
    "meanwhile, status, sentence",
    [(give, 422, MEANWHILE), (remove, 404, "There is no connection with this identifier.")],
)
def test_a_client_that_cannot_be_kept_is_deleted_there(upstream, meanwhile, status, sentence):
    upstream.make().do("discover")

    def register(connection):
        with upstream.app.app_context():
            meanwhile(connections.get("notes"))
            db.session.commit()
        connection.sendall(said(201, upstream.registration()))

    upstream.login.pages["POST /register"] = register

    answer = upstream.do("register")

    assert (answer.status_code, sentence in texts(answer.text)) == (status, True)
    assert upstream.login.asked[-1] == "DELETE /clients/c-1"


def test_another_issuer_ends_the_client_and_the_tokens_of_the_one_before(upstream, site):
    upstream.authorized()
    other = site()
    upstream.app.extensions["gatewright.outbound"].allow |= {other.name}
    other.describe_server(OAUTH, other.origin)
    upstream.api.describe_resource("/about", upstream.api.url, other.origin)

    upstream.do("discover")

    assert upstream.login.asked[-3:] == ["POST /revoke", "POST /revoke", "DELETE /clients/c-1"]
    row = upstream.row()
    assert (row.issuer, row.client_id, upstream.tokens()) == (other.origin, "", None)
