"""Owns the run of an authorization code in the operator's browser: what is sent, what comes back.

State, verifier and nonce wait in the browser session, one run at a time; the right state uses
them up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from app import browser_session, clock
from app.config import current_settings
from app.console.token_facts import Check
from app.domain import credentials
from app.domain.client_records import ClientRecord

KEPT = "acquire"
SECONDS = 600
LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Run:
    """What was sent to the authorization endpoint, and is needed again."""

    client_id: str
    redirect_uri: str
    resource: str
    state: str
    verifier: str
    nonce: str
    at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The address that the browser ended at: whether it may be used, and its parameters."""

    checks: tuple[Check, ...]
    values: Mapping[str, str]

    @property
    def code(self) -> str:
        """Return the code, empty when something is wrong with the answer."""
        return self.values.get("code", "") if all(each.passed for each in self.checks) else ""


def begin(client: ClientRecord, redirect_uri: str, scope: str, resource: str) -> dict[str, str]:
    """Keep a new run in the browser session; return its authorization request."""
    state, verifier, nonce = (credentials.new_secret() for _ in range(3))
    kept: dict[str, Any] = {
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "resource": resource,
        "state": state,
        "verifier": verifier,
        "nonce": nonce,
        "at": clock.epoch(),
    }
    browser_session.current()[KEPT] = kept
    wanted = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "resource": resource,
        "state": state,
        "nonce": nonce,
        "code_challenge": credentials.s256_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in wanted.items() if value}


def address_of(wanted: Mapping[str, str]) -> str:
    """Return the address at which a browser makes an authorization request."""
    return f"{current_settings().issuer}/authorize?{urlencode(wanted)}"


def waiting(client_id: str) -> Run | None:
    """Return the run of a client that waits in this browser, unless it has waited too long."""
    kept = browser_session.current().get(KEPT)
    run = Run(**kept) if kept else None
    if run is None or run.client_id != client_id or clock.epoch() >= run.at + SECONDS:
        return None
    return run


def take(run: Run, address: str) -> Answer:
    """Return what came back to a run; its state uses the run up."""
    base, _, query = address.partition("?")
    values = dict(parse_qsl(query.partition("#")[0]))
    is_own = credentials.equal(values.get("state", ""), run.state)
    if is_own:
        browser_session.current().pop(KEPT, None)
    checks = (
        Check(is_at(base, query, run.redirect_uri), "It ends at the redirect URI that was sent."),
        Check(is_own, "state is the one that was sent, so the answer belongs to this run."),
        Check(
            values.get("iss") == current_settings().issuer,
            "iss is this server, so no other server's answer was slipped in (RFC 9207).",
        ),
        Check("error" not in values, "It carries no error."),
        Check("code" in values, "It carries a code."),
    )
    return Answer(checks, values)


def is_at(base: str, query: str, redirect_uri: str) -> bool:
    """Tell whether an address is a redirect URI with parameters added to its own."""
    parts = urlsplit(redirect_uri)
    here = redirect_uri.partition("?")[0]
    bare = here if parts.path else f"{here}/"
    return base in (here, bare) and set(parse_qsl(parts.query)) <= set(parse_qsl(query))
