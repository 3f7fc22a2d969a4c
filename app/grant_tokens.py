"""Owns the tokens of what was authorized: from their row while they live, else refreshed by one.

The database is the lease, so that it is one of all processes, with Redis and without.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from flask import Flask, current_app
from sqlalchemy import Row

from app import clock, upstream_uses
from app.config import current_key
from app.domain import (
    connection_grants,
    connection_refreshes,
    connections,
    errors,
    upstream_tokens,
)
from app.domain.audit import SERVER
from app.domain.upstream_tokens import Tokens
from app.extensions import db
from app.outbound import upstream
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.token_requests import SHORTEST_LIFE_SECONDS
from app.outbound.upstream_logins import Upstream

LOOK_SECONDS = 0.1
ENDED = "refused by the authorization server"


class Found(NamedTuple):
    """A grant as it was found, opened; and until when it is this caller's turn to refresh it."""

    row: Row[Any]
    tokens: Tokens
    used: Upstream
    claimed_until: int | None = None


class GrantTokens:
    """The tokens of one owner at one connection; no transaction may be open where it is asked."""

    def __init__(self, app: Flask, outbound: Outbound, connection_id: str, owner: str) -> None:
        """Ask nothing yet."""
        self.app, self.outbound = app, outbound
        self.connection_id, self.owner = connection_id, owner
        self.refused = ""

    def token(self, seconds: float = 5) -> str:
        """Return a token that can be used; raises OutboundError.

        The reason is ``credential`` when a person has to authorize anew.
        """
        return self.current(seconds).tokens.access_token

    def drop(self, token: str) -> None:
        """Never give out a token that was refused again."""
        self.refused = token

    def current(self, seconds: float = 5) -> Found:
        """Return such a token with its grant.

        Who finds another one refreshing waits for what it gets, or for its failure.
        """
        deadline, began, has_waited = Deadline(seconds), clock.epoch(), False
        while True:
            found = self._look(began if has_waited else None)
            if found.claimed_until is not None:
                return self._refreshed(found, found.claimed_until, deadline)
            if self._is_usable(found):
                return found
            has_waited = True
            if not deadline.wait(LOOK_SECONDS):
                raise OutboundError("timeout")

    def _look(self, waiting_since: int | None) -> Found:
        """Return the grant, with the turn to refresh it if that is needed and nobody else's."""
        with self.app.app_context():
            found = self._find()
            if self._is_usable(found):
                connection_grants.note_use(found.row)
            elif not found.tokens.refresh_token:
                raise OutboundError("credential")
            elif waiting_since is not None and (found.row.failed_at or 0) >= waiting_since:
                raise OutboundError("token")
            else:
                found = found._replace(claimed_until=connection_refreshes.claim(found.row))
            db.session.commit()
        return found

    def _find(self) -> Found:
        """Open the grant; raises OutboundError when there is none that can be read."""
        row = connection_grants.find(self.connection_id, self.owner)
        if row is None:
            raise OutboundError("credential")
        try:
            used = upstream_uses.opened(connections.get_by_id(self.connection_id))
            tokens = upstream_tokens.tokens_of(row, current_key("connections"))
        except (errors.Refusal, ValueError):
            raise OutboundError("credential") from None
        return Found(row, tokens, replace(used, scopes=tuple(tokens.scopes)))

    def _is_usable(self, found: Found) -> bool:
        """Tell whether a token lives and was not refused; without a known end it lives.

        One that nothing renews is used to its end.
        """
        row, tokens = found.row, found.tokens
        if tokens.access_token == self.refused:
            return False
        got_at = row.refreshed_at or row.authorized_at
        shortest = got_at + SHORTEST_LIFE_SECONDS
        buffer, ends = found.used.buffer_seconds if tokens.refresh_token else 0, tokens.expires_at
        return ends is None or clock.epoch() < max(ends - buffer, shortest)

    def _refreshed(self, found: Found, claimed_until: int, deadline: Deadline) -> Found:
        """Refresh for everybody who waits."""
        try:
            got = upstream.refresh(
                self.outbound,
                found.used.login(found.row.id),
                found.tokens.refresh_token,
                seconds=deadline.step(),
            )
        except OutboundError as error:
            self._note_failure(found.row, claimed_until, error)
            raise
        with self.app.app_context():
            key = current_key("connections")
            stored = connection_refreshes.store_refreshed(found.row, got, key, by=SERVER)
            db.session.commit()
            if stored is None:
                raise OutboundError("credential")
            return found._replace(row=stored, tokens=upstream_tokens.tokens_of(stored, key))

    def _note_failure(self, row: Row[Any], claimed_until: int, error: OutboundError) -> None:
        """Keep that a refresh failed; a refresh token that is refused for good has ended."""
        with self.app.app_context():
            if error.error == "invalid_grant":
                connection_refreshes.give_up(row, ENDED, by=SERVER)
            else:
                reason = error.error or error.reason
                connection_refreshes.note_failure(row, claimed_until, reason, by=SERVER)
            db.session.commit()


def of(connection_id: str, owner: str, outbound: Outbound) -> GrantTokens:
    """Return the tokens of an owner in the application in use, got on a way out."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    return GrantTokens(app, outbound, connection_id, owner)
