"""What tests of authorized connections share: an upstream with a client, people, and tokens."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from sqlalchemy import select

from app.clock import epoch
from app.domain import (
    connection_authorizations,
    connection_grants,
    connection_secrets,
    connections,
    errors,
    sessions,
    upstreams,
)
from app.domain.audit import AuditEvent
from app.domain.connection_drafts import Draft
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.domain.upstream_tokens import Tokens, tokens_of
from app.domain.upstreams import Client
from app.domain.users import User
from app.extensions import db
from tests.domain.held_connections import OPERATOR, SEALING

URL = "https://mcp.example/mcp"
ISSUER = "https://id.example"
UPSTREAM = Draft(kind="authorization_code", url=URL, auth_method="none", scope="read")
SERVER = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "scopes_supported": ["read", "write"],
}
ELSEWHERE = {name: str(SERVER[name]).replace("id.", "other.") for name in list(SERVER)[:3]}
CANARIES = tuple(f"c4n4ry-{name}" for name in ("secret", "registration", "access", "refresh"))
CLIENT = Client(
    "gatewright-there",
    "client_secret_basic",
    client_secret=CANARIES[0],
    registration_client_uri=f"{ISSUER}/register/1",
    registration_token=CANARIES[1],
)
TOKENS = Tokens(CANARIES[2], CANARIES[3], ("read",), 2_000_000_000)
REDIRECT = "https://gatewright.example/connections/callback"


def upstream(name="tools", client=CLIENT) -> Connection:
    """Make a connection that people can authorize."""
    row = connections.create(name, UPSTREAM, SEALING, by=OPERATOR)
    upstreams.note_discovery(row, SERVER, URL, by=OPERATOR)
    upstreams.note_registration(row, client, row.revision, SEALING, by=OPERATOR)
    db.session.commit()
    return row


def person(name) -> tuple[str, str]:
    """Make somebody who is signed in; return who it is and the browser session."""
    user = User(id=f"u-{name}", email=f"{name}@people.example", role="member", created_at=epoch())
    db.session.add(user)
    db.session.flush()
    session, _ = sessions.issue(
        user.id, lifetime_seconds=36_000, address="192.0.2.1", user_agent=""
    )
    db.session.commit()
    return user.id, session.id


def begin(row, who, *, for_service=False):
    """Begin to authorize a connection as a person."""
    begun = connection_authorizations.begin(
        row,
        SEALING,
        session_id=who[1],
        user_id=who[0],
        for_service=for_service,
        scopes=["read"],
        redirect_uri=REDIRECT,
    )
    db.session.commit()
    return begun


def keep(row, owner=SERVICE, tokens=TOKENS):
    """Keep tokens for an owner, each with the owner's name in it."""
    own = replace(tokens, access_token=f"{tokens.access_token}-{owner}")
    kept = connection_grants.keep(
        own, SEALING, connection_id=row.id, owner=owner, revision=row.revision, by=OPERATOR
    )
    db.session.commit()
    return kept


def access_token(row, owner=SERVICE):
    """Return the access token that an owner has at a connection; None without a grant."""
    found = connection_grants.find(row.id, owner)
    return None if found is None else tokens_of(found, SEALING).access_token


def opened(remains):
    """Return every credential that is left at the other server."""
    left, [grant] = remains
    tokens = tokens_of(grant, SEALING)
    return (
        connection_secrets.secrets_of(left, SEALING, {}).client_secret,
        connection_secrets.registration_token_of(left, SEALING),
        tokens.access_token,
        tokens.refresh_token,
    )


def at_once(app, callers, verb):
    """Call a verb in so many threads at once, each with its own transaction; return the results.

    A refusal is a result as well.
    """
    together = Barrier(callers)

    def one(number):
        with app.app_context():
            together.wait(10)
            try:
                result = verb(number)
                db.session.commit()
            except errors.Refusal as refused:
                db.session.rollback()
                return refused
            return result

    with ThreadPoolExecutor(callers) as threads:
        return list(threads.map(one, range(callers)))


def told(kind=""):
    """Return tag and detail of what the trail says of connections, the oldest first."""
    found = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    mine = [event for event in found if event.tag.startswith(f"connection.{kind}")]
    return [(event.tag.partition(".")[2], event.detail) for event in mine]


def everything():
    """Return every value of every row of every table, as text."""
    tables = db.metadatas[None].sorted_tables
    return " ".join(repr(row) for table in tables for row in db.session.execute(select(table)))


def leaked():
    """Return the credentials that can be read in the tables, in clear or in hexadecimal digits."""
    text = everything()
    return [canary for canary in CANARIES if canary in text or canary.encode().hex() in text]
