"""What races are about: codes, tokens, software and people, made through the verbs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import text

from app.config import Settings
from app.domain import (
    admissions,
    authorization_codes,
    client_metadata,
    policies,
    refresh_tokens,
    registration_tokens,
    sessions,
    software,
    users,
)
from app.domain.audit import SERVER
from app.extensions import db
from app.protocol import ceilings
from tests.races.wire import Reply, post_form

REDIRECT = "https://client.example/cb"
PASSWORD = "a sentence that nobody guesses"
VERIFIER = "tests-only-verifier-0123456789-0123456789-0123"
CHALLENGE = authorization_codes.credentials.s256_challenge(VERIFIER)


@dataclass(frozen=True)
class Machine:
    """A confidential client, which may introspect its own tokens."""

    client_id: str
    secret: str

    def post(self, base_url: str, path: str, **values: str) -> Reply:
        """Call an endpoint with the secret in the body."""
        own = {"client_id": self.client_id, "client_secret": self.secret}
        return post_form(base_url, path, own | values)

    def redeem(self, base_url: str, code: str) -> Reply:
        """Exchange a code."""
        return self.post(
            base_url,
            "/token",
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT,
            code_verifier=VERIFIER,
        )

    def refresh(self, base_url: str, token: str) -> Reply:
        """Exchange a refresh token."""
        return self.post(base_url, "/token", grant_type="refresh_token", refresh_token=token)

    def introspect(self, base_url: str, token: str) -> Reply:
        """Ask about a token."""
        return self.post(base_url, "/introspect", token=token)


class Cast:
    """Makes what a race needs in the database of the servers, and reads what became of it."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app, self.settings = app, settings
        with app.app_context():
            self.user_id = self.add_user("ada@people.example", "member")
            metadata = client_metadata.parse(
                {
                    "client_name": "Racer",
                    "redirect_uris": [REDIRECT],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "token_endpoint_auth_method": "client_secret_post",
                }
            )
            client, issued = admissions.create(
                metadata, by=SERVER, allowed=["openid", "offline_access"]
            )
            self.machine = Machine(client.client_id, issued.client_secret)
            db.session.commit()

    def add_user(self, email: str, role: str) -> str:
        """Make an account; the caller commits."""
        hasher = self.app.extensions["gatewright.passwords"]
        return users.create(email, role, PASSWORD, hasher, by=SERVER).id

    def approvers(self, count: int) -> list[str]:
        """Make accounts that may decide; return their e-mail addresses."""
        emails = [f"approver-{number}@people.example" for number in range(count)]
        with self.app.app_context():
            for email in emails:
                self.add_user(email, "approver")
            db.session.commit()
        return emails

    def start_session(self) -> str:
        """Sign the person in; return the identifier of the session."""
        with self.app.app_context():
            row, _ = sessions.issue(
                self.user_id, lifetime_seconds=600, address="127.0.0.1", user_agent=""
            )
            db.session.commit()
            return row.id

    def codes(self, count: int, session_id: str | None = None) -> list[str]:
        """Issue codes that live for ten minutes."""
        with self.app.app_context():
            codes = [self.issue_code(session_id) for _ in range(count)]
            db.session.commit()
        return codes

    def issue_code(self, session_id: str | None = None) -> str:
        """Issue one code; the caller commits."""
        return authorization_codes.issue(
            client_id=self.machine.client_id,
            user_id=self.user_id,
            session_id=session_id,
            redirect_uri=REDIRECT,
            code_challenge=CHALLENGE,
            scopes=["openid", "offline_access"],
            resources=[self.settings.resource],
            nonce=None,
            auth_time=0,
            lifetime_seconds=600,
            by=SERVER,
        )

    def refresh_tokens(self, count: int) -> list[str]:
        """Redeem codes into families of one refresh token each."""
        codes = self.codes(count)
        with self.app.app_context():
            rules, tokens = ceilings.rules(self.settings), []
            for code in codes:
                row = authorization_codes.find(code)
                redeemed = authorization_codes.redeem(rules, row, by=SERVER)
                tokens.append(refresh_tokens.issue(rules, redeemed.grant))
            db.session.commit()
        return tokens

    def initial_tokens(self, count: int) -> list[str]:
        """Make initial access tokens of one use each."""
        with self.app.app_context():
            made = [
                registration_tokens.create(f"token {number}", by=SERVER, uses=1)[1]
                for number in range(count)
            ]
            db.session.commit()
        return made

    def pending_software(self, count: int) -> list[dict[str, str]]:
        """Register software that waits; return the fields of a form that decides about each."""
        forms = []
        with self.app.app_context():
            for number in range(count):
                metadata = client_metadata.parse(
                    {"client_name": f"Waiting {number}", "redirect_uris": [REDIRECT]}
                )
                arrival = admissions.evidence(
                    metadata, source="dcr", initial_access_token=None, address="", user_agent=""
                )
                client, _ = admissions.register(arrival, policies.judge(arrival), by=SERVER)
                row = software.get(client.software_id)
                waiting = urlencode({"client_id": client.client_id, "redirect_uri": REDIRECT})
                shown = {"revision": row.revision, "next": f"/authorize?{waiting}"}
                forms.append({"software_id": row.id, **shown})
            db.session.commit()
        return forms

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return what the database says now."""
        with self.app.app_context():
            return [tuple(row) for row in db.session.execute(text(statement), values)]

    def column(self, statement: str, **values: Any) -> list[Any]:
        """Return the first column of what the database says now."""
        return [row[0] for row in self.rows(statement, **values)]


def spread(count: int, servers: Iterable[str]) -> list[str]:
    """Return as many addresses, taking the servers in turn."""
    known = list(servers)
    return [known[number % len(known)] for number in range(count)]
