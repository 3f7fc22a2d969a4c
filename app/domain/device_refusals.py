"""Owns the refusals of a device that polls for its tokens (RFC 8628 section 3.5)."""

from app.domain.errors import Refusal


class AuthorizationPending(Refusal):
    """Raised while nobody has answered; no fault, the device asks again after the interval."""

    error = "authorization_pending"


class SlowDown(Refusal):
    """Raised while nobody has answered and the device asks too often."""

    error = "slow_down"


class ExpiredToken(Refusal):
    """Raised when a device code was not used in time."""

    error = "expired_token"
