"""Owns trying a connection that people authorize: its API is asked with the token, step by step."""

from collections.abc import Callable
from dataclasses import dataclass

from app.outbound import calls, challenges, failures, upstream
from app.outbound.calls import Access, Call, Tokens
from app.outbound.challenges import Challenge
from app.outbound.client import Answer, Outbound
from app.outbound.discovery import INITIALIZE
from app.outbound.errors import OutboundError
from app.outbound.failures import Failure
from app.outbound.walks import POSTED
from app.outbound.watching import Exchange, Watched

SECONDS, REQUEST_SECONDS = 12, 5
"""For all requests of a trial together, a page waits for it; and for one of them."""
NO_POST = (400, 404, 405, 415)
"""What an API that does not speak MCP answers to its first words; it is read instead."""
NONE = Challenge("bearer")

ANEW = Failure(
    "Nobody has authorized it, or that has ended.", "Authorize the connection for this server."
)
REFUSED = Failure(
    "The API refuses the token, a new one as well.",
    "Ask its operators whether it takes tokens of this authorization server for this resource.",
)
WANTS_MORE = Failure(
    "The API takes the token and does not allow this with its scopes.",
    "Authorize it again with the scopes that this needs, or ask the operators of the API.",
)


@dataclass(frozen=True, slots=True)
class UpstreamTrial:
    """What came of a trial."""

    exchanges: tuple[Exchange, ...]
    code: str = ""
    """A word for what went wrong; empty when it worked."""
    failure: Failure | None = None
    challenge: Challenge = NONE
    """What the API wants that does not allow this with the token."""


def make(
    outbound: Outbound, tokens_by: Callable[[Outbound], Tokens], url: str, audit_header: str
) -> UpstreamTrial:
    """Ask an API as an MCP client begins, else read it; no transaction may be open meanwhile."""
    watched = Watched(outbound)
    access = Access(watched.stranger, tokens_by(watched), audit_header, REQUEST_SECONDS, SECONDS)
    try:
        answer = calls.make(access, Call(url, "POST", POSTED, INITIALIZE))
        if answer.status in NO_POST:
            answer = calls.make(access, Call(url))
    except OutboundError as error:
        return failed(error, watched.exchanges)
    code, failure = judged(answer)
    return UpstreamTrial(tuple(watched.exchanges), code, failure, challenge_of(answer))


def challenge_of(answer: Answer) -> Challenge:
    """Return what an API says when it takes a token and wants more, an empty one otherwise."""
    if answer.status != 403:
        return NONE
    return challenges.bearer(answer.headers.get("www-authenticate", ""))


def failed(error: OutboundError, exchanges: list[Exchange]) -> UpstreamTrial:
    """Explain why the API was not asked, or did not answer."""
    cause = error.__cause__ if isinstance(error.__cause__, OutboundError) else error
    code, failure = cause.error or cause.reason, failures.of_error(cause)
    if upstream.has_ended(cause):
        failure = ANEW
    return UpstreamTrial(tuple(exchanges), code, failure)


def judged(answer: Answer) -> tuple[str, Failure | None]:
    """Explain what an API answered to a token."""
    if answer.status < 400:
        return "", None
    known = {401: REFUSED, 403: WANTS_MORE}
    unknown = failures.BROKEN if answer.status >= 500 else failures.REFUSED
    return f"status {answer.status}", known.get(answer.status, unknown)
