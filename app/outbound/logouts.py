"""Owns telling clients that a session has ended (OpenID Connect Back-Channel Logout 2.5)."""

from urllib.parse import urlencode

from app.domain.webhooks import Outcome
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError

SECONDS = 5
"""Clients are strangers: one that hangs keeps the place of others no longer than this."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send(outbound: Outbound, url: str, token: str) -> Outcome:
    """Send a logout token once and return what became of it; no transaction may be open."""
    body = urlencode({"logout_token": token}).encode()
    try:
        answer = outbound.stranger(url, method="POST", headers=FORM, content=body, seconds=SECONDS)
    except OutboundError as error:
        return Outcome(error.reason)
    return Outcome("" if 200 <= answer.status < 300 else "status", answer.status)
