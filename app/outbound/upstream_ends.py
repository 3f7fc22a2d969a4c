"""Owns ending what is left at upstreams: tokens and clients; failures are told, never raised."""

from collections.abc import Iterable

from app.domain.upstream_tokens import Tokens
from app.outbound import registration, upstream
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.upstream_logins import Upstream
from app.outbound.upstream_refusals import Refused

SECONDS = 20
"""For all tokens of a connection together; a page waits for it."""
UNMANAGED = "unmanaged"
"""What became of a client that this server cannot manage."""


def revoke(outbound: Outbound, used: Upstream, held: Iterable[Tokens]) -> int:
    """Revoke the tokens of grants (RFC 7009); return how many grants may go on there."""
    deadline = Deadline(SECONDS)
    return sum(not is_revoked(outbound, used, tokens, deadline) for tokens in held)


def is_revoked(outbound: Outbound, used: Upstream, tokens: Tokens, deadline: Deadline) -> bool:
    """Revoke the tokens of one grant; tell whether all of them have ended."""
    try:
        told = upstream.revoke(
            outbound,
            used.server,
            used.login(""),
            refresh_token=tokens.refresh_token,
            access_token=tokens.access_token,
            seconds=deadline.step(upstream.SECONDS),
        )
    except OutboundError:
        return False
    return bool(told) and not any(each.failure for each in told)


def unregister(outbound: Outbound, url: str, token: str) -> str:
    """Delete a client where it is managed (RFC 7592); return why it may go on, empty if gone."""
    if not url:
        return UNMANAGED
    try:
        gone = registration.delete(outbound, url, token)
    except OutboundError as error:
        return error.reason
    if isinstance(gone, Refused):
        return gone.error or f"status {gone.status}"
    return "" if gone != "not_ours" else gone
