"""Owns the access tokens that this server gets for itself at others' token endpoints."""

import re
from concurrent.futures import Future
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import structlog

from app import clock
from app.outbound import json_answers
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import Login, basic, proof
from app.outbound.shared_tokens import Kept, SharedTokens

log = structlog.get_logger()

SHORTEST_LIFE_SECONDS = 10
"""A token is kept so long at least, whatever is said about its end."""
LONGEST_EXPIRY = 2**31
LONGEST_TOKEN = 16384

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_ERROR_CODE = re.compile(r"[a-z_]{1,64}")


class TokenManager:
    """Keeps one access token of one login; any number of threads may ask for it.

    While one thread asks the token endpoint the others wait for its answer, and with ``shared``
    so do other processes. A token that arrives after ``clear`` is given to whoever waited for it
    and not kept.
    """

    def __init__(
        self, outbound: Outbound, login: Login, shared: SharedTokens | None = None
    ) -> None:
        """Ask nothing yet."""
        self.outbound, self.login, self.shared = outbound, login, shared
        self.lock = Lock()
        self.kept: Kept | None = None
        self.flight: Future[str] | None = None
        self.generation = 0

    def token(self, seconds: float = 5) -> str:
        """Return a token that can be used; raises OutboundError when none is had in time."""
        with self.lock:
            if self.kept is not None and clock.epoch() < self.kept.until:
                return self.kept.value
            waited_for = self.flight
            own: Future[str] = Future()
            if waited_for is None:
                self.flight, generation = own, self.generation
        if waited_for is None:
            return self._fetch(own, generation, seconds)
        try:
            return waited_for.result(seconds)
        except TimeoutError:
            raise OutboundError("timeout") from None
        except OutboundError as error:
            raise OutboundError(error.reason) from None

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless another one has taken its place."""
        with self.lock:
            if self.kept is not None and self.kept.value == token:
                self._forget()
        if self.shared is not None:
            self.shared.drop(self.login.name, token)

    def clear(self) -> None:
        """Forget the token, and that of an answer under way."""
        with self.lock:
            self._forget()
        if self.shared is not None:
            self.shared.forget(self.login.name)

    def _forget(self) -> None:
        self.kept = self.flight = None
        self.generation += 1

    def _fetch(self, flight: "Future[str]", generation: int, seconds: float) -> str:
        """Ask the token endpoint for everybody who waits."""
        try:
            kept = self._acquire(generation, seconds)
        except BaseException as error:
            self._land(flight)
            told = error if isinstance(error, OutboundError) else OutboundError("token")
            flight.set_exception(told)
            raise
        self._land(flight, kept, generation)
        flight.set_result(kept.value)
        return kept.value

    def _acquire(self, generation: int, seconds: float) -> Kept:
        """Return the token of another process, or a new one for all of them."""
        if self.shared is None:
            return self._new(seconds)
        name, deadline = self.login.name, Deadline(seconds)
        found = self.shared.find(name, clock.epoch())
        if found is not None:
            return found
        with self.shared.turn(name, seconds):
            found = self.shared.find(name, clock.epoch())
            if found is None:
                found = self._new(self._left(deadline))
                if self.generation == generation:
                    self.shared.keep(name, found, clock.epoch())
        return found

    @staticmethod
    def _left(deadline: Deadline) -> float:
        try:
            return deadline.left()
        except TimeoutError:
            raise OutboundError("timeout") from None

    def _new(self, seconds: float) -> Kept:
        asked_at = clock.epoch()
        found = read(self._ask(seconds))
        life = life_of(found.get("expires_in"), self.login.buffer_seconds)
        return Kept(found["access_token"], asked_at + life)

    def _land(self, flight: "Future[str]", kept: Kept | None = None, generation: int = -1) -> None:
        with self.lock:
            if self.flight is flight:
                self.flight = None
            if kept is not None and self.generation == generation:
                self.kept = kept

    def _ask(self, seconds: float) -> Answer:
        login = self.login
        form = {"grant_type": "client_credentials", "scope": login.scope}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        if login.auth_method == "client_secret_basic":
            headers["Authorization"] = basic(login.client_id, login.client_secret)
        try:
            form |= proof(login)
            content = urlencode({name: value for name, value in form.items() if value}).encode()
            return self.outbound.trusted(
                login.token_url, method="POST", headers=headers, content=content, seconds=seconds
            )
        except OutboundError as error:
            log.warning("token_not_acquired", reason=error.reason)
            raise


def read(answer: Answer) -> dict[str, Any]:
    """Return a token answer (RFC 6749 section 5.1); raises OutboundError unless it is one.

    Of an error only its registered code is logged: a body may quote what was sent.
    """
    try:
        found = json_answers.read_object(answer.content)
    except OutboundError:
        found = {}
    token, kind = found.get("access_token"), found.get("token_type", "Bearer")
    well_formed = isinstance(token, str) and len(token) <= LONGEST_TOKEN and _TOKEN.fullmatch(token)
    is_bearer = isinstance(kind, str) and kind.lower() == "bearer"
    if answer.status == 200 and well_formed and is_bearer:
        return found
    code = str(found.get("error", ""))
    known = code if _ERROR_CODE.fullmatch(code) else ""
    log.warning("token_not_acquired", reason="token", status=answer.status, error=known)
    raise OutboundError("token")


def life_of(expires_in: object, buffer_seconds: int) -> int:
    """Return how many seconds a token is kept; ``expires_in`` may be missing or nonsense."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in[:11])
    if isinstance(expires_in, float) and expires_in.is_integer():
        expires_in = int(expires_in)
    if type(expires_in) is not int or not 0 < expires_in < LONGEST_EXPIRY:
        return SHORTEST_LIFE_SECONDS
    return max(expires_in - buffer_seconds, SHORTEST_LIFE_SECONDS)
