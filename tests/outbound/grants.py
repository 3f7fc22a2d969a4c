"""A server on loopback and a grant that is refreshed there; test files import both fixtures."""

import pytest

from app.clock import epoch
from app.domain import connection_grants, connections, upstreams
from app.domain.connection_drafts import Draft
from app.domain.connection_grants import SERVICE
from app.domain.upstream_tokens import Tokens
from app.domain.upstreams import Client
from app.extensions import db
from app.grant_tokens import GrantTokens
from tests.domain.held_connections import OPERATOR
from tests.services.gate import scripted, token_answer


@pytest.fixture
def endpoint(app):
    """Return a function that starts a token endpoint or an API where strangers' URLs may lead."""
    with scripted() as serve:

        def start(*answers):
            server = serve(*(answers or [token_answer()]))
            app.extensions["gatewright.outbound"].allow |= {f"127.0.0.1:{server.port}"}
            return server

        yield start


@pytest.fixture
def granted(app):
    """Return a function that keeps a grant refreshed at a server; gives who asks for its tokens."""

    def keep(server, refresh="r-1", ends_in=3600, owner=SERVICE):
        key = app.extensions["gatewright.keys"]["connections"]
        there = f"http://127.0.0.1:{server.port}"
        draft = Draft(kind="authorization_code", url=f"{there}/mcp", auth_method="none")
        found = {"issuer": there, "token_endpoint": f"{there}/token"}
        with app.app_context():
            row = connections.create("notes", draft, key, by=OPERATOR)
            upstreams.note_discovery(row, found, f"{there}/mcp", by=OPERATOR)
            upstreams.note_registration(row, Client("us"), row.revision, key, by=OPERATOR)
            ends = None if ends_in is None else epoch() + ends_in
            connection_grants.keep(
                Tokens("a-1", refresh, ("read",), ends),
                key,
                connection_id=row.id,
                owner=owner,
                revision=row.revision,
                by=OPERATOR,
            )
            db.session.commit()
            row_id = row.id
        return lambda owner=owner: GrantTokens(
            app, app.extensions["gatewright.outbound"], row_id, owner
        )

    return keep
