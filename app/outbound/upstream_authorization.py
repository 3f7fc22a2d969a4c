"""Owns the asking of people to authorize at upstreams, and what their browsers bring back."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode

from app.domain import credentials
from app.outbound import upstream_refusals
from app.outbound.challenges import Challenge
from app.outbound.errors import OutboundError
from app.outbound.upstream_clients import Client
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import Refused

OTHER_STATE = (
    "This answer belongs to no authorization that is under way here; start again from the"
    " connection."
)
OTHER_ISSUER = (
    "This answer does not come from the server that was asked; nothing was sent anywhere, so start"
    " again, and tell the operators of this server if it happens twice."
)
NO_CODE = (
    "The other server answered without a code that can be used; start again, and tell its operators"
    " if it happens twice."
)

_CODE = re.compile(r"[\x20-\x7e]{1,16384}")


def authorization_url(
    server: ServerMetadata,
    client: Client,
    *,
    redirect_uri: str,
    state: str,
    challenge: str,
    scopes: Iterable[str] = (),
    resource: str = "",
    nonce: str = "",
    prompt: str = "",
) -> str:
    """Return where a person allows access (RFC 6749 section 4.1.1, with PKCE by S256).

    ``nonce`` and ``prompt`` are for signing in there (OpenID Connect Core section 3.1.2.1).
    Raises OutboundError when the query of the endpoint decides what only a request may.
    """
    wanted = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "resource": resource,
        "nonce": nonce,
        "prompt": prompt,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    endpoint, _, query = server.authorization_endpoint.partition("?")
    if wanted.keys() & dict(parse_qsl(query, keep_blank_values=True)).keys():
        raise OutboundError("url")
    said = urlencode({name: value for name, value in wanted.items() if value}, quote_via=quote)
    return f"{endpoint}?{query}&{said}" if query else f"{endpoint}?{said}"


def check_answer(
    parameters: Mapping[str, str], *, state: str, issuer: str, iss_supported: bool
) -> str | Refused:
    """Return the code that a browser brings back; whose answer it is counts before what it says.

    ``parameters`` hold one value for each name. The issuer is compared character by character
    (RFC 9207 section 2.4).
    """
    if not credentials.matches(parameters.get("state", ""), credentials.digest(state)):
        return Refused(OTHER_STATE)
    if parameters.get("iss", None if iss_supported else issuer) != issuer:
        return Refused(OTHER_ISSUER)
    if "error" in parameters:
        return upstream_refusals.of_code(parameters["error"])
    code = parameters.get("code", "")
    return code if _CODE.fullmatch(code) else Refused(NO_CODE)


def step_up(challenge: Challenge, granted: Iterable[str]) -> tuple[str, ...]:
    """Return what to ask a person for when an API wants more scopes, those granted included.

    Nothing when asking again would gain nothing.
    """
    held = tuple(granted)
    if challenge.error != "insufficient_scope" or set(challenge.scopes) <= set(held):
        return ()
    return tuple(dict.fromkeys((*held, *challenge.scopes)))
