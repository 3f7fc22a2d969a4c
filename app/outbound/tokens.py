"""Owns the access tokens that this server gets for itself at others' token endpoints."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, NamedTuple
from urllib.parse import quote_plus, urlencode

import structlog

from app import clock
from app.domain import client_assertions, credentials
from app.outbound import json_answers
from app.outbound.client import Answer, Outbound
from app.outbound.errors import OutboundError

log = structlog.get_logger()

BUFFER_SECONDS = 60
SHORTEST_LIFE_SECONDS = 10
"""A token is kept so long at least, whatever is said about its end."""
LONGEST_EXPIRY = 2**31
LONGEST_TOKEN = 16384
ASSERTION_SECONDS = 60

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_ERROR_CODE = re.compile(r"[a-z_]{1,64}")

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt"]
Sign = Callable[[dict[str, Any]], str]
"""Signs claims with the key of this server; raises OutboundError when it has none."""


@dataclass(frozen=True, slots=True)
class Login:
    """What this server is at someone else's token endpoint (RFC 6749 section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    auth_method: AuthMethod = "client_secret_basic"
    buffer_seconds: int = BUFFER_SECONDS
    """A token is renewed so long before it expires."""
    sign: Sign | None = field(default=None, repr=False)
    """For private_key_jwt."""

    def __post_init__(self) -> None:
        """Refuse a buffer that is no whole number of seconds."""
        if type(self.buffer_seconds) is not int or self.buffer_seconds < 0:
            raise ValueError("the buffer must be a whole number of seconds, at least 0")
        if self.auth_method == "private_key_jwt" and self.sign is None:
            raise ValueError("private_key_jwt needs what signs")


class Kept(NamedTuple):
    """A token and the moment from which it is not used any more."""

    value: str
    until: int


class TokenManager:
    """Keeps one access token of one login; any number of threads may ask for it.

    While one thread asks the token endpoint the others wait for its answer. A token that arrives
    after ``clear`` is given to whoever waited for it and not kept.
    """

    def __init__(self, outbound: Outbound, login: Login) -> None:
        """Ask nothing yet."""
        self.outbound, self.login = outbound, login
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

    def clear(self) -> None:
        """Forget the token, and that of an answer under way."""
        with self.lock:
            self._forget()

    def _forget(self) -> None:
        self.kept = self.flight = None
        self.generation += 1

    def _fetch(self, flight: "Future[str]", generation: int, seconds: float) -> str:
        """Ask the token endpoint for everybody who waits."""
        asked_at = clock.epoch()
        try:
            found = read(self._ask(seconds))
        except BaseException as error:
            self._land(flight)
            told = error if isinstance(error, OutboundError) else OutboundError("token")
            flight.set_exception(told)
            raise
        token: str = found["access_token"]
        life = life_of(found.get("expires_in"), self.login.buffer_seconds)
        self._land(flight, Kept(token, asked_at + life), generation)
        flight.set_result(token)
        return token

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


def proof(login: Login) -> dict[str, str]:
    """Return the parameters by which a login proves itself, none for HTTP Basic."""
    if login.auth_method == "client_secret_post":
        return {"client_id": login.client_id, "client_secret": login.client_secret}
    if login.sign is None or login.auth_method == "client_secret_basic":
        return {}
    now = clock.epoch()
    claims = {
        "iss": login.client_id,
        "sub": login.client_id,
        "aud": login.token_url,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": credentials.new_id(),
    }
    return {
        "client_id": login.client_id,
        "client_assertion_type": client_assertions.KIND,
        "client_assertion": login.sign(claims),
    }


def basic(client_id: str, client_secret: str) -> str:
    """Return the header of HTTP Basic, both halves form-encoded (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


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
