"""Owns the one family of refusals: Authlib's OAuth2Error and the registered codes it lacks.

A description is a constant sentence: which rule refused, what to do, whom to ask. It never holds
anything a stranger sent, because RFC 6749 section 5.2 limits its characters and Authlib raises
ValueError on the others. What varies goes into ``facts`` and from there into the audit trail.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error


class Refusal(OAuth2Error):  # type: ignore[misc]  # Authlib ships no type information
    """Raised when a request is refused; carries the OAuth error code and the HTTP status."""

    error: str = "invalid_request"
    status: int = HTTPStatus.BAD_REQUEST
    challenge: str | None = None
    """The WWW-Authenticate challenge that goes with the answer, if any."""

    def __init__(self, description: str, **facts: Any) -> None:
        """Refuse with a constant sentence; ``facts`` are recorded, never sent."""
        super().__init__(description=description, status_code=self.status)
        self.facts = facts


class InvalidRequest(Refusal):
    """Raised when parameters are missing, repeated or malformed (RFC 6749 section 5.2)."""


class InvalidMembers(InvalidRequest):
    """Raised with all faults at once; ``faults`` says what each member must be."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        """Refuse with constant sentences only, by the names of the members."""
        super().__init__("; ".join(f"{member} {what}" for member, what in faults.items()) + ".")
        self.faults = faults


class InvalidClient(Refusal):
    """Raised when client authentication failed (RFC 6749 section 5.2)."""

    error = "invalid_client"
    status = HTTPStatus.UNAUTHORIZED
    challenge = 'Basic realm="gatewright"'


class InvalidGrant(Refusal):
    """Raised when a code or refresh token cannot be redeemed (RFC 6749 section 5.2)."""

    error = "invalid_grant"


class AuthorizationNeeded(InvalidGrant):
    """Raised when somebody has to authorize first; a machine is told where."""

    def __init__(self, description: str, *, authorization_url: str, **facts: Any) -> None:
        """Refuse until somebody has authorized at ``authorization_url``, a page of this server."""
        super().__init__(description, **facts)
        self.authorization_url = authorization_url


class WiderAuthorizationNeeded(AuthorizationNeeded):
    """Raised when a scope exceeds what somebody authorized (RFC 6749 section 5.2)."""

    error = "invalid_scope"


class UnauthorizedClient(Refusal):
    """Raised when the client is not registered for the grant (RFC 6749 section 5.2)."""

    error = "unauthorized_client"


class UnsupportedGrantType(Refusal):
    """Raised when this server does not have the grant type (RFC 6749 section 5.2)."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(Refusal):
    """Raised when the response type is not ``code`` (RFC 6749 section 4.1.2.1)."""

    error = "unsupported_response_type"


class InvalidScope(Refusal):
    """Raised when no requested scope can be granted (RFC 6749 section 5.2)."""

    error = "invalid_scope"


class InvalidTarget(Refusal):
    """Raised when a resource is unknown or not allowed (RFC 8707 section 2)."""

    error = "invalid_target"


class AccessDenied(Refusal):
    """Raised when people or policy have not allowed the request (RFC 6749 section 4.1.2.1)."""

    error = "access_denied"


class AdmissionRefused(AccessDenied):
    """Raised when policy refuses a registration; 403 because no retry of the same can succeed."""

    status = HTTPStatus.FORBIDDEN


class CrossSite(AccessDenied):
    """Raised when another site made a browser send a form of ours."""

    status = HTTPStatus.FORBIDDEN


class LoginRequired(Refusal):
    """Raised when ``prompt=none`` meets nobody signed in (OpenID Connect Core 3.1.2.6)."""

    error = "login_required"


class ConsentRequired(Refusal):
    """Raised when ``prompt=none`` meets a missing consent (OpenID Connect Core 3.1.2.6)."""

    error = "consent_required"


class RequestNotSupported(Refusal):
    """Raised for a request object by value (OpenID Connect Core 3.1.2.6)."""

    error = "request_not_supported"


class RequestUriNotSupported(Refusal):
    """Raised for a request object by reference (OpenID Connect Core 3.1.2.6)."""

    error = "request_uri_not_supported"


class InvalidRequestURI(Refusal):
    """Raised when a reference to a pushed request does not count (RFC 9101 section 6.2)."""

    error = "invalid_request_uri"


class InvalidRequestObject(Refusal):
    """Raised when a request object is not one that its client signed (RFC 9101 section 6)."""

    error = "invalid_request_object"


class RegistrationNotSupported(Refusal):
    """Raised for the ``registration`` request parameter (OpenID Connect Core 3.1.2.6)."""

    error = "registration_not_supported"


class InvalidRedirectURI(Refusal):
    """Raised when a redirect URI breaks a rule at registration (RFC 7591 section 3.2.2)."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(Refusal):
    """Raised when another metadata value breaks a rule (RFC 7591 section 3.2.2)."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatement(Refusal):
    """Raised when a software statement does not verify (RFC 7591 section 3.2.2)."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatement(Refusal):
    """Raised when no trusted issuer stands behind a statement (RFC 7591 section 3.2.2)."""

    error = "unapproved_software_statement"


class UnsupportedEncoding(Refusal):
    """Raised for a compressed body (RFC 9110 section 15.5.16)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class MissingToken(Refusal):
    """Raised when a bearer token is needed and none was sent (RFC 6750 section 3.1)."""

    error = "invalid_token"
    status = HTTPStatus.UNAUTHORIZED
    challenge = 'Bearer realm="gatewright"'


class InvalidToken(Refusal):
    """Raised when a bearer token is wrong, spent or expired (RFC 6750 section 3.1)."""

    error = "invalid_token"
    status = HTTPStatus.UNAUTHORIZED
    challenge = 'Bearer realm="gatewright", error="invalid_token"'


class InsufficientScope(Refusal):
    """Raised when a valid bearer token does not allow the call (RFC 6750 section 3.1)."""

    error = "insufficient_scope"
    status = HTTPStatus.FORBIDDEN


class Conflict(Refusal):
    """Raised when somebody else decided first or the object changed since it was seen."""

    error = "conflict"
    status = HTTPStatus.CONFLICT


class SecondPerson(Conflict):
    """Raised when an approval needs another person than the one who gives it."""


class NotFound(Refusal):
    """Raised when an operator names an object that is not there."""

    error = "not_found"
    status = HTTPStatus.NOT_FOUND


class Unavailable(Refusal):
    """Raised when another server, which this one needs for an answer, gives none."""

    error = "temporarily_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class TooManyRequests(Refusal):
    """Raised when a limit of a noun is reached; ``retry_after`` says when to come back."""

    error = "temporarily_unavailable"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, description: str, *, retry_after: int, **facts: Any) -> None:
        """Refuse until ``retry_after`` seconds have passed."""
        super().__init__(description, **facts)
        self.retry_after = retry_after
