"""Owns trying a connection before an operator's eyes: a new token, and each step on the way."""

from dataclasses import dataclass

from app import clock
from app.domain import foreign_jwts
from app.outbound import failures, token_requests
from app.outbound.client import Outbound
from app.outbound.connection_tokens import Held
from app.outbound.discovery import Discovery
from app.outbound.errors import OutboundError
from app.outbound.failures import Failure
from app.outbound.key_sets import KeySets
from app.outbound.limits import Deadline
from app.outbound.shared_tokens import Kept
from app.outbound.watching import Exchange, Watched

SECONDS = 12
"""For all requests of a trial together; a page waits for it."""
TYPES = ("jwt", "at+jwt")

NO_ISSUER = "Its signature was not checked: a connection that names no issuer knows no keys."
NO_KEYS = "Its signature was not checked: the issuer publishes no keys that can be had."
SIGNED = "Its signature is that of a key of the issuer."
NOT_SIGNED = "Its signature is not that of any key of the issuer."


SKEW_SECONDS = 60
ELSEWHERE = Failure(
    "It is a token for another audience than the resource of this connection.",
    "The API refuses it then; compare the resource with what the API calls itself, or ask the"
    " operators of the other server.",
)
ENDED = Failure(
    "By the clock of this server it has ended already.",
    "The clocks differ; let both servers set theirs by a time server.",
)
EARLY = Failure(
    "By the clock of this server it was issued in the future.",
    "The clocks differ, so others may refuse it for a while; let both servers set theirs by a time"
    " server.",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial; the token is for nobody's use."""

    exchanges: tuple[Exchange, ...]
    discovery: Discovery | None = None
    kept: Kept | None = None
    signature: str = ""
    """A sentence about that of a token which is a JWT."""
    code: str = ""
    """The reason of the way out, or an error code that is known; empty when it worked."""
    failure: Failure | None = None
    doubts: tuple[Failure, ...] = ()
    """What others may object to about a token that was got."""


def make(outbound: Outbound, key_sets: KeySets, held: Held) -> Trial:
    """Get a new token that is not kept; no transaction may be open meanwhile."""
    watched, deadline = Watched(outbound), Deadline(SECONDS)
    discovery = None
    try:
        login = held.login
        if held.issuer:
            discovery = held.discover(watched, deadline.step())
            login = held.at(discovery.server)
        kept = token_requests.client_credentials(watched, login, deadline.step())
    except OutboundError as error:
        code, failure = explained(error, watched.exchanges)
        return Trial(tuple(watched.exchanges), discovery, code=code, failure=failure)
    exchanges = tuple(watched.exchanges)
    signed = signature(key_sets, discovery, kept.value)
    return Trial(exchanges, discovery, kept, signed, doubts=doubts(kept.value, login.resource))


def explained(error: OutboundError, exchanges: list[Exchange]) -> tuple[str, Failure]:
    """Return a word for what went wrong, and what that means."""
    asked = [each.answer for each in exchanges if each.form]
    if error.reason != "token":
        return error.reason, failures.REASONS[error.reason]
    if not asked or asked[-1] is None:
        return error.reason, failures.NO_KEY
    return error.error or error.reason, failures.of_token_answer(asked[-1])


def doubts(token: str, resource: str) -> tuple[Failure, ...]:
    """Return what is doubtful about a token as far as it says so itself."""
    jwt = foreign_jwts.read(token, TYPES)
    if jwt is None:
        return ()
    now, audience = clock.epoch(), jwt.claims.get("aud", [])
    found = {
        ELSEWHERE: resource != ""
        and audience != []
        and not foreign_jwts.is_for(audience, [resource]),
        ENDED: is_before(jwt.claims.get("exp"), now),
        EARLY: any(is_after(jwt.claims.get(name), now + SKEW_SECONDS) for name in ("iat", "nbf")),
    }
    return tuple(doubt for doubt, applies in found.items() if applies)


def is_before(moment: object, now: int) -> bool:
    """Tell whether a claim is a moment in the past."""
    return isinstance(moment, int | float) and moment <= now


def is_after(moment: object, now: int) -> bool:
    """Tell whether a claim is a moment in the future."""
    return isinstance(moment, int | float) and moment > now


def signature(key_sets: KeySets, discovery: Discovery | None, token: str) -> str:
    """Say whether a key of the issuer has signed a token; empty for what is no JWT."""
    jwt = foreign_jwts.read(token, TYPES)
    if jwt is None:
        return ""
    if discovery is None or discovery.server is None:
        return NO_ISSUER
    try:
        keys = key_sets.find(discovery.server.jwks_uri, jwt.kid)
    except OutboundError:
        return NO_KEYS
    return SIGNED if foreign_jwts.is_signed_by(jwt, keys) else NOT_SIGNED
