"""Owns how long rows that have run out are kept: what is dead and explains nothing is purged."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from app import clock
from app.domain.announcements import Delivery
from app.domain.authorization_codes import AuthorizationCode
from app.domain.client_assertions import ClientAssertionId
from app.domain.connection_authorizations import ConnectionAuthorization
from app.domain.consents import SpentTicket
from app.domain.device_codes import DeviceCode
from app.domain.dpop_proofs import DpopProofId
from app.domain.foreign_logout_tokens import ForeignLogoutToken
from app.domain.grants import Grant
from app.domain.jobs import Job
from app.domain.new_passwords import PasswordLink
from app.domain.passkey_challenges import PasskeyChallenge
from app.domain.pushed_requests import OPENED_SECONDS, PushedRequest
from app.domain.refresh_tokens import RefreshToken
from app.domain.session_clients import SessionClient
from app.domain.sessions import Session
from app.domain.sign_in import FORGOTTEN_SECONDS, SignInThrottle
from app.domain.sign_in_attempts import SignInAttempt
from app.domain.tokens import RevokedAccessToken
from app.extensions import Base, db

DAY = 86400
REPLAY_SECONDS = 30 * DAY
"""Codes and refresh tokens are kept so long after their end, so that a replay is recognised."""
SHOWN_SECONDS = 90 * DAY
"""Grants are kept so long after their end, because pages about clients and people show them."""
DELIVERY_SECONDS = 30 * DAY
"""What webhooks were told is kept so long."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one table that may be purged at a moment."""

    name: str
    table: type[Base]
    key: Any
    dead: ColumnElement[bool]


def kinds(now: int) -> tuple[Kind, ...]:
    """Return what may be purged, tables that refer to others first."""
    throttle, revoked = SignInThrottle, RevokedAccessToken
    idle = (throttle.failed_at < now - FORGOTTEN_SECONDS) & (throttle.blocked_until < now)
    ticket, pushed, assertion = SpentTicket, PushedRequest, ClientAssertionId
    left = pushed.expires_at < now - OPENED_SECONDS
    running, link, attempt = ConnectionAuthorization, PasswordLink, SignInAttempt
    asked, proof, logout = PasskeyChallenge, DpopProofId, ForeignLogoutToken
    going_on = select(Session.id).where(Session.id == SessionClient.session_id)
    return (
        Kind("sessions", Session, Session.id, Session.expires_at < now),
        Kind("clients of sessions", SessionClient, SessionClient.sid, ~going_on.exists()),
        Kind("consent tickets", ticket, ticket.ticket_digest, ticket.expires_at < now),
        Kind("revoked access tokens", revoked, revoked.jti, revoked.expires_at < now),
        Kind("password links", link, link.token_digest, link.expires_at < now),
        Kind("pushed requests", pushed, pushed.request_digest, left),
        Kind("client assertions", assertion, assertion.id_digest, assertion.expires_at < now),
        Kind("DPoP proofs", proof, proof.id_digest, proof.expires_at < now),
        Kind("connection authorizations", running, running.state_digest, running.expires_at < now),
        Kind("sign-in attempts", attempt, attempt.state_digest, attempt.expires_at < now),
        Kind("passkey challenges", asked, asked.challenge_digest, asked.expires_at < now),
        Kind("logout tokens", logout, logout.token_digest, logout.expires_at < now),
        *told(now),
        Kind("sign-in throttles", throttle, throttle.key, idle),
        *families(now),
    )


def told(now: int) -> tuple[Kind, ...]:
    """Return deliveries that nobody will send again, and the jobs of those that failed."""
    old = now - DELIVERY_SECONDS
    ended = (Delivery.created_at < old) & (Delivery.state != "waiting")
    return (
        Kind("webhook deliveries", Delivery, Delivery.id, ended),
        Kind("dead jobs", Job, Job.id, (Job.created_at < old) & (Job.state == "dead")),
    )


def families(now: int) -> tuple[Kind, ...]:
    """Return codes, refresh tokens and grants that explain nothing any more."""
    code, token, device = AuthorizationCode, RefreshToken, DeviceCode
    replayed = device.expires_at < now - REPLAY_SECONDS
    unused = device.spent_at.is_(None) & (device.expires_at < now - DAY)
    ended = Grant.expires_at < now - SHOWN_SECONDS
    old = token.expires_at < now - REPLAY_SECONDS
    orphaned = token.grant_id.in_(select(Grant.id).where(ended))
    kept = select(token.token_digest).where(token.grant_id == Grant.id)
    return (
        Kind("authorization codes", code, code.code_digest, code.expires_at < now - REPLAY_SECONDS),
        Kind("device codes", device, device.code_digest, replayed | unused),
        Kind("refresh tokens", token, token.token_digest, old | orphaned),
        Kind("grants", Grant, Grant.id, ended & ~kept.exists()),
    )


def count() -> dict[str, int]:
    """Return how many rows of each kind a purge would remove."""
    found = {}
    for kind in kinds(clock.epoch()):
        query = select(func.count()).select_from(kind.table).where(kind.dead)
        found[kind.name] = int(db.session.scalar(query) or 0)
    return found


def purge() -> dict[str, int]:
    """Remove at most ``BATCH`` rows of each kind; return how many."""
    removed = {}
    for kind in kinds(clock.epoch()):
        keys = list(db.session.scalars(select(kind.key).where(kind.dead).limit(BATCH)))
        if keys:
            db.session.execute(
                delete(kind.table)
                .where(kind.key.in_(keys), kind.dead)
                .execution_options(synchronize_session=False)
            )
        removed[kind.name] = len(keys)
    return removed
