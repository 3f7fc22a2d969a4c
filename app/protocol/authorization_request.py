"""Owns the checks of an authorization request, in the order that keeps its browser safe.

First the client and its redirect URI are proven: what fails there is said on a page of ours. Only
then may a refusal travel to the redirect URI (RFC 6749 section 4.1.2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from app import clock
from app.domain import errors, redirect_uris, scopes
from app.domain.client_records import ClientRecord, Standing
from app.domain.errors import Refusal
from app.domain.identity_claims import ClaimsRequest
from app.domain.resources import Target
from app.protocol import caller
from app.protocol.ceilings import narrow, target_of
from app.protocol.code_bindings import checked_challenge, checked_key
from app.protocol.parameters import Parameters
from app.protocol.sign_in_demands import (
    checked_claims,
    checked_max_age,
    checked_prompt,
    checked_subject,
)

UNKNOWN = "This app is not known here, or it asks to be sent to an address it did not register."


class LocalRefusal(Exception):
    """Raised when the browser must not be sent anywhere; ``refusal`` is said on a page."""

    def __init__(self, refusal: Refusal, client: ClientRecord | None = None) -> None:
        """Refuse on a page of our own."""
        super().__init__(refusal.description)
        self.refusal = refusal
        self.client = client


@dataclass(frozen=True, slots=True)
class Origin:
    """A client and the redirect URI that was proven to be its own."""

    client: ClientRecord
    redirect_uri: str
    state: str | None
    standing: Standing
    response_mode: str = "query"


class RedirectedRefusal(Exception):
    """Raised when the proven redirect URI is told why (RFC 6749 section 4.1.2.1)."""

    def __init__(self, refusal: Refusal, origin: Origin) -> None:
        """Refuse at the client."""
        super().__init__(refusal.description)
        self.refusal = refusal
        self.origin = origin


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be granted; scopes are narrowed already."""

    origin: Origin
    scopes: tuple[str, ...]
    target: Target
    code_challenge: str | None
    dpop_jkt: str | None
    nonce: str | None
    prompt: frozenset[str]
    max_age: int | None
    claims: ClaimsRequest
    subject: str | None
    """The only person who will do, as the client knows people."""
    canonical: str
    """The whole request as one string, for binding a consent to it."""
    reference: str | None
    """What stands for it when it was pushed; it is used up by the answer."""

    @property
    def client(self) -> ClientRecord:
        """Return who asks."""
        return self.origin.client

    @property
    def consented_scopes(self) -> tuple[str, ...]:
        """Return the scopes in whose words the person is asked, claims asked one by one too."""
        return tuple(dict.fromkeys((*self.scopes, *self.claims.scopes)))

    def refuse(self, refusal: Refusal) -> RedirectedRefusal:
        """Return a refusal for the client of this request."""
        return RedirectedRefusal(refusal, self.origin)


def prove_origin(parameters: Parameters) -> Origin:
    """Return client and redirect URI; raises LocalRefusal when they are not proven.

    A deleted client that was approved once is told by redirect, so that it registers again.
    """
    client_id = parameters.get("client_id")
    if client_id is None:
        raise LocalRefusal(errors.InvalidRequest("The parameter client_id is missing."))
    client = caller.look_up(client_id)
    if client is None:
        raise LocalRefusal(errors.InvalidRequest(UNKNOWN))
    standing = client.standing(clock.epoch())
    if standing is Standing.DELETED and not client.approved_once:
        raise LocalRefusal(errors.InvalidRequest(UNKNOWN))
    redirect_uri = proven_redirect_uri(client, parameters)
    mode = response_mode(redirect_uri, parameters) or "query"
    origin = Origin(client, redirect_uri, parameters.get("state"), standing, mode)
    if standing is Standing.DELETED:
        gone = errors.InvalidClient("This client was deleted; register again.")
        raise RedirectedRefusal(gone, origin)
    if standing not in (Standing.ACTIVE, Standing.PENDING):
        stopped = errors.UnauthorizedClient("This app is not active on this server.")
        raise LocalRefusal(stopped, client)
    return origin


def response_mode(redirect_uri: str, parameters: Parameters) -> str | None:
    """Return how the answer travels, None for a way that there is not; a form needs a web page."""
    mode = parameters.get("response_mode") or "query"
    is_web = redirect_uri.startswith(("http://", "https://"))
    return mode if mode == "query" or (mode == "form_post" and is_web) else None


def proven_redirect_uri(client: ClientRecord, parameters: Parameters) -> str:
    """Return the presented redirect URI if it is registered, or the only registered one."""
    presented = parameters.get("redirect_uri")
    if presented is None:
        openid = "openid" in (parameters.get("scope") or "").split(" ")
        if len(client.redirect_uris) != 1 or openid:
            raise LocalRefusal(errors.InvalidRequest("The parameter redirect_uri is missing."))
        return client.redirect_uris[0]
    if not any(redirect_uris.matches(known, presented) for known in client.redirect_uris):
        raise LocalRefusal(errors.InvalidRequest(UNKNOWN, redirect_uri=presented[:500]), client)
    return presented


def read(origin: Origin, parameters: Parameters) -> AuthorizationRequest:
    """Return the checked request of an active client; raises RedirectedRefusal."""
    try:
        check_pushed(origin.client, parameters)
        return check(origin, parameters)
    except Refusal as refusal:
        raise RedirectedRefusal(refusal, origin) from None


def check_pushed(client: ClientRecord, parameters: Parameters) -> None:
    """Refuse what a client sends by the browser that pushes all its requests."""
    if client.pushes and parameters.reference is None:
        raise errors.InvalidRequest(
            "This client is registered to push its authorization requests; send this one to the"
            " pushed_authorization_request_endpoint first."
        )


def check(origin: Origin, parameters: Parameters) -> AuthorizationRequest:
    """Check everything else about a request, in order."""
    check_unsupported(parameters)
    check_signed(origin.client, parameters)
    check_response(origin, parameters)
    challenge = checked_challenge(origin.client, parameters)
    target = target_of(origin.client, parameters.resources)
    granted = narrow(scopes.split(parameters.get("scope")), origin.client, target)
    claims = checked_claims(origin.client, parameters, granted)
    return AuthorizationRequest(
        origin=origin,
        scopes=granted,
        target=target,
        claims=claims,
        subject=checked_subject(parameters, claims),
        code_challenge=challenge,
        dpop_jkt=checked_key(parameters),
        nonce=checked_nonce(parameters),
        prompt=checked_prompt(parameters),
        max_age=checked_max_age(origin.client, parameters),
        canonical=canonical(parameters),
        reference=parameters.reference,
    )


def check_unsupported(parameters: Parameters) -> None:
    """Refuse by name what is not read here; nothing it points to is ever fetched."""
    refusals: Mapping[str, type[Refusal]] = {
        "request": errors.RequestNotSupported,
        "request_uri": errors.RequestUriNotSupported,
        "registration": errors.RegistrationNotSupported,
    }
    for name, refusal in refusals.items():
        if parameters.get(name) is not None:
            raise refusal("This server does not support this request parameter.")


def check_signed(client: ClientRecord, parameters: Parameters) -> None:
    """Refuse what a client did not sign that signs all it sends; what was pushed is checked."""
    if client.signs and parameters.signed is None and parameters.reference is None:
        raise errors.InvalidRequest(
            "This client is registered to sign its authorization requests; send this one as a"
            " request object."
        )


def check_response(origin: Origin, parameters: Parameters) -> None:
    """Accept the code flow with its answer in the query or in a form, and nothing else."""
    response_type = parameters.get("response_type")
    if response_type is None:
        raise errors.InvalidRequest("The parameter response_type is missing.")
    if response_type != "code":
        raise errors.UnsupportedResponseType("The only supported response_type is code.")
    if "authorization_code" not in origin.client.grant_types:
        raise errors.UnauthorizedClient("This client is not registered for authorization codes.")
    if response_mode(origin.redirect_uri, parameters) is None:
        raise errors.InvalidRequest(
            "The response_mode must be query, or form_post for a redirect URI of http or https."
        )


def checked_nonce(parameters: Parameters) -> str | None:
    """Return the nonce (OpenID Connect Core section 3.1.2.1)."""
    nonce = parameters.get("nonce")
    if nonce is not None and len(nonce) > 512:
        raise errors.InvalidRequest("The nonce must have at most 512 characters.")
    return nonce


def canonical(parameters: Parameters) -> str:
    """Write a request as one string that does not depend on the order of its parameters.

    What was pushed cannot change and is named by its reference.
    """
    if parameters.reference is not None:
        pushed = {"client_id": parameters.values["client_id"], "request_uri": parameters.reference}
        return urlencode(pushed)
    pairs = [*parameters.values.items(), *(("resource", uri) for uri in parameters.resources)]
    return urlencode(sorted(pairs))
