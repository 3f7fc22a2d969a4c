"""Somebody who holds one of everything on a furnished server, and what is known of it."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from app.domain import (
    admissions,
    client_metadata,
    connection_authorizations,
    connection_grants,
    connections,
    scopes,
)
from app.domain.audit import SERVER
from app.domain.connection_authorizations import ConnectionAuthorization
from app.domain.consents import Consent
from app.domain.grants import Grant
from app.domain.sessions import Session
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from app.protocol.connection_tokens import SCOPE as TOKENS
from tests.protocol import persons
from tests.protocol.machines import Machine, known
from tests.protocol.persons import Form, Person, find_form
from tests.routes.stage import REDIRECT, SCOPE, Hash, Stage, lasting

OWN = "/connections/upstream/"
HOST, COOKIE = "gatewright.example", "__Host-gatewright"
UPSTREAM = Tokens("c4n4ry-access", "c4n4ry-refresh", ("read",), None)


@dataclass(frozen=True)
class Holder:
    """Ada: she let an app act for her and a connection be used, and is about to do both again."""

    person: Person
    app: Machine
    asked: Form
    """Of the consent page that she has before her."""
    known_of: dict[str, str]
    """By what her rows are found, under the names that somebody might ask with."""
    secrets: dict[str, str]
    """What nobody else may read, under such names."""


def hold(stage: Stage) -> Holder:
    """Let Ada have one of everything."""
    encoded = Hash.hash(persons.PASSWORD)
    person = persons.enrol(stage.app, "ada@people.example", "member", encoded)
    app = make(stage, "App of Ada")
    tokens = person.tokens(app, scope=SCOPE)
    asked = find_form(person.consent_page(app, scope=SCOPE, prompt="consent"), "/consent")
    secrets = {
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "code": person.code(app, scope=SCOPE),
        "ticket": asked.fields["ticket"],
        "csrf": asked.fields["csrf_token"],
        "cookie": person.http.get_cookie(COOKIE, HOST).value,
        "proof": app.secret,
    }
    keep(stage, person.user_id)
    secrets |= {"upstream_access": UPSTREAM.access_token, "upstream": UPSTREAM.refresh_token}
    secrets |= {"state": begin(person), "verifier": verifier(stage)}
    return Holder(person, app, asked, identifiers(stage, person, app), secrets)


def make(stage: Stage, name: str) -> Machine:
    """Make a client that people may let act for them, and that gets tokens of connections."""
    wanted = {
        "client_name": name,
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    with stage.app.app_context():
        if scopes.find(TOKENS) is None:
            scopes.create(TOKENS, "Get tokens of connections", by=SERVER)
        metadata = client_metadata.parse(wanted)
        client, issued = admissions.create(metadata, by=SERVER, allowed=[SCOPE, TOKENS])
        machine = known(stage.new_browser(), client, issued)
        db.session.commit()
    return machine


def keep(stage: Stage, user_id: str) -> None:
    """Keep tokens of the connection for a person, as an authorization would."""
    with stage.app.app_context():
        row = connections.get("upstream")
        connection_grants.keep(
            UPSTREAM,
            stage.app.extensions["gatewright.keys"]["connections"],
            connection_id=row.id,
            owner=user_id,
            revision=row.revision,
            by=SERVER,
        )
        db.session.commit()


def begin(person: Person) -> str:
    """Begin to authorize the connection once more; return the state."""
    sent = person.submit(person.open(OWN), f"{OWN}authorize")
    return parse_qs(urlsplit(sent.location).query)["state"][0]


def verifier(stage: Stage) -> str:
    """Return the code verifier of the running authorization."""
    with stage.app.app_context():
        row = db.session.execute(db.select(*ConnectionAuthorization.__table__.c)).one()
        key = stage.app.extensions["gatewright.keys"]["connections"]
        return connection_authorizations.verifier_of(row, key)


def identifiers(stage: Stage, person: Person, app: Machine) -> dict[str, str]:
    """Return what rows of a person are found by."""
    with stage.app.app_context():
        connection_id = connections.get("upstream").id
        return {
            "user_id": person.user_id,
            "owner": person.user_id,
            "subject": person.user_id,
            "email": person.email,
            "session_id": only(Session.id, Session.user_id == person.user_id),
            "consent_id": only(Consent.id, Consent.user_id == person.user_id),
            "grant_id": only(Grant.id, Grant.user_id == person.user_id),
            "id": connection_grants.find(connection_id, person.user_id).id,
            "client": app.client_id,
        }


def only(column: object, condition: object) -> str:
    """Return the newest value of a column."""
    return db.session.scalars(db.select(column).where(condition).order_by(column.desc())).first()


def rows_of(stage: Stage, holder: Holder) -> dict[str, list[str]]:
    """Return every row that names one of Ada's identifiers, but those of the trail."""
    marks = {*holder.known_of.values()} - {holder.app.client_id}  # others use the app, too
    with stage.app.app_context():
        return {
            table.name: sorted(
                repr(row)
                for row in db.session.execute(db.select(*lasting(table)))
                if marks & {each for each in row if isinstance(each, str)}
            )
            for table in db.metadatas[None].sorted_tables
            if table.name != "audit_events"
        }
