"""Owns the tokens of connections: one manager for each login that this process uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

from app import clock
from app.domain import connection_secrets, credentials, errors, private_keys
from app.domain.client_assertions import TYPE
from app.domain.connection_drafts import BY_KEY, CLIENT_CREDENTIALS, Draft
from app.domain.connection_records import ENVIRONMENT, Connection
from app.domain.connection_secrets import Secrets
from app.outbound import token_requests, well_known
from app.outbound.client import Outbound
from app.outbound.discovery import Discovery, discover_issuer
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import AuthMethod, Login, Sign
from app.outbound.shared_tokens import Kept, SharedTokens
from app.outbound.tokens import TokenManager
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.walks import By

KEPT = 200
"""So many managers are remembered at most; whoever comes after asks for a token anew."""
LOCATED_SECONDS = 3600
"""A token endpoint that was found is asked for so long without looking for it again."""
NOTED_SECONDS = 60
"""The use of a token that is not new is noted no more often."""
UNREADABLE = (
    "The secret of this connection does not open with the secret key of this server; set the key"
    " that it was sealed with, or rotate the secret of the connection."
)
OF_PEOPLE = (
    "People authorize this connection; it is no login of this server itself, and is neither tested"
    " nor changed as one."
)

Note = Callable[[str, int], None]
"""Notes the use of a connection by its identifier, and when its token ends."""


@dataclass(frozen=True, slots=True)
class Held:
    """A connection as it is used; ``login`` has its issuer for the token URL when that is given."""

    connection_id: str
    login: Login
    issuer: str = ""
    """Whose metadata name the token endpoint, if it has to be looked for."""

    def discover(self, outbound: Outbound, seconds: float) -> Discovery:
        """Look for the token endpoint."""
        by: By = "stranger" if self.login.strange else "trusted"
        return discover_issuer(outbound, self.issuer, by=by, seconds=seconds)

    def at(self, server: ServerMetadata | None) -> Login:
        """Return the login at the endpoint that was found; raises OutboundError without one.

        Another origin is a stranger's: so metadata lead only where strangers may lead, whoever
        named the issuer.
        """
        if server is None:
            raise OutboundError("metadata")
        url = server.token_endpoint
        strange = self.login.strange or not well_known.same_origin(url, self.issuer)
        return replace(self.login, token_url=url, strange=strange)


class ConnectionTokens(TokenManager):
    """The token manager of one connection at one revision; notes when its tokens are used."""

    def __init__(
        self, outbound: Outbound, held: Held, shared: SharedTokens | None, note: Note
    ) -> None:
        """Ask nothing yet."""
        super().__init__(outbound, held.login, shared, self._acquire)
        self.held, self.note = held, note
        self.located, self.located_until = held.login, 0
        self.noted: Kept | None = None
        self.noted_at = 0

    def current(self, seconds: float = 5, *, life_seconds: int = 0) -> Kept:
        """Return a token that can be used, as ``token`` does; no transaction may be open."""
        kept = super().current(seconds, life_seconds=life_seconds)
        if self._is_to_note(kept):
            self.note(self.held.connection_id, kept.expires_at)
        return kept

    def _is_to_note(self, kept: Kept) -> bool:
        now = clock.epoch()
        with self.lock:
            due = kept != self.noted or now >= self.noted_at + NOTED_SECONDS
            if due:
                self.noted, self.noted_at = kept, now
        return due

    def _acquire(self, outbound: Outbound, _login: Login, seconds: float) -> Kept:
        deadline = Deadline(seconds)
        login = self._locate(outbound, deadline) if self.held.issuer else self.held.login
        return token_requests.client_credentials(outbound, login, deadline.step())

    def _locate(self, outbound: Outbound, deadline: Deadline) -> Login:
        """Return the login at its token endpoint; raises OutboundError when there is none."""
        if clock.epoch() >= self.located_until:
            self.located = self.held.at(self.held.discover(outbound, deadline.step()).server)
            self.located_until = clock.epoch() + LOCATED_SECONDS
        return self.located


class Managers:
    """The token managers of one application, each for a connection as it is now."""

    def __init__(
        self,
        outbound: Outbound,
        sealing_key: bytes,
        environment: Mapping[str, Draft],
        *,
        sign: Sign,
        note: Note,
        shared: SharedTokens | None = None,
    ) -> None:
        """Hold nothing yet; ``sign`` signs with the key of this server."""
        self.outbound, self.shared = outbound, shared
        self.sealing_key, self.environment = sealing_key, environment
        self.sign, self.note = sign, note
        self.lock = Lock()
        self.managers: dict[str, ConnectionTokens] = {}

    def of(self, row: Connection) -> ConnectionTokens:
        """Return the manager of a connection; whoever asks it has no transaction open then.

        That of an earlier revision is not found again. Raises Conflict when this process cannot
        read the secret.
        """
        held = self.hold(row)
        with self.lock:
            found = self.managers.pop(row.id, None)
            if found is None or found.login.revision != held.login.revision:
                found = ConnectionTokens(self.outbound, held, self.shared, self.note)
            while len(self.managers) >= KEPT:
                self.managers.pop(next(iter(self.managers)))
            self.managers[row.id] = found
        return found

    def hold(self, row: Connection) -> Held:
        """Return a connection as it is used; raises Conflict when its secret cannot be read."""
        check_kind(row)
        try:
            secrets = connection_secrets.secrets_of(row, self.sealing_key, self.environment)
        except ValueError:
            raise errors.Conflict(UNREADABLE) from None
        auth_method: AuthMethod = row.auth_method  # type: ignore[assignment]  # checked when made
        login = Login(
            row.token_endpoint or row.issuer or "",
            row.client_id,
            secrets.client_secret,
            row.scope,
            auth_method,
            row.expiry_buffer_seconds,
            sign=self.signer(secrets) if auth_method == BY_KEY else None,
            resource=row.resource,
            revision=self.revision(row, secrets),
            strange=row.source != ENVIRONMENT,
        )
        return Held(row.id, login, "" if row.token_endpoint else row.issuer or "")

    def signer(self, secrets: Secrets) -> Sign:
        """Return what signs: the key of the connection, or else that of this server."""
        if secrets.private_key is None:
            return self.sign
        return partial(sign_with, secrets.private_key)

    def revision(self, row: Connection, secrets: Secrets) -> str:
        """Return what changes with a connection; a secret of the environment changes without it."""
        mark = credentials.derive(self.sealing_key, "connection revision", secrets.client_secret)
        return f"{row.id} {row.revision} {mark}"


def check_kind(row: Connection) -> None:
    """Refuse a connection that people authorize."""
    if row.kind != CLIENT_CREDENTIALS:
        raise errors.Conflict(OF_PEOPLE)


def sign_with(key: Mapping[str, Any], claims: dict[str, Any]) -> str:
    """Return an assertion signed with the key of a connection."""
    return private_keys.sign(key, TYPE, claims)
