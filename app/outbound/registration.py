"""Owns dynamic registration at upstreams, and the client that it makes there (RFC 7591, 7592)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from app.outbound import json_answers, upstream_clients, upstream_refusals, well_known
from app.outbound.client import JSON, Answer, Outbound
from app.outbound.errors import OutboundError
from app.outbound.upstream_clients import NO_METHOD, NO_WAY, SECRET_METHODS, Client, Profile
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import Refused

SECONDS = 10
POSTED = {**JSON, "Content-Type": "application/json"}
LATEST = 2**53
GONE: dict[int, "Gone"] = {204: "deleted", 404: "unknown", 401: "not_ours"}
"""By the status of the answer to a deletion."""

UNREADABLE = (
    "The other server did not answer with the JSON object of a registration; tell its operators."
)
NO_CLIENT_ID = (
    "The other server did not say the client_id, or named another client; tell its operators."
)
OTHER_REDIRECT = (
    "The other server did not register the redirect URI of this server; ask its operators to allow"
    " it."
)
OTHER_METHOD = (
    "The other server registered a way of authentication that this server cannot do; ask its"
    " operators for a client with a secret, and enter what they give."
)
WRONG_SECRET = (
    "The other server gave a client a secret that it does not need, or none although it needs one;"
    " tell its operators."
)
UNMANAGED = (
    "The other server gave no usable access to the registration; ask its operators to change or"
    " remove the client."
)

Gone = Literal["deleted", "unknown", "not_ours"]
"""``not_ours`` is a client that is gone, or one whose registration access token has ended."""

_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,2048}")
_CLIENT_SECRET = re.compile(r"[\x20-\x7e]{1,1024}")
_TOKEN = re.compile(r"[!-~]{1,4096}")


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that was registered; without a registration access token nobody can manage it."""

    client: Client
    secret_expires_at: int = 0
    """Zero for a secret that does not expire, and for no secret."""
    registration_client_uri: str = ""
    registration_access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is held against: what was asked for, and what was known before."""

    profile: Profile
    before: Registered
    endpoint: str
    """Credentials that come with the answer are for its origin only."""


def register(
    outbound: Outbound,
    server: ServerMetadata,
    profile: Profile,
    *,
    scopes: Iterable[str] = (),
    initial_access_token: str = "",
    seconds: float = SECONDS,
) -> Registered | Refused:
    """Register a client (RFC 7591 section 3); raises OutboundError when there is no answer."""
    endpoint, method = server.registration_endpoint, upstream_clients.auth_method(server, profile)
    if not endpoint or method is None:
        return Refused(NO_METHOD if endpoint else NO_WAY)
    metadata = upstream_clients.client_metadata(profile, method, scopes)
    answer = send(outbound, "POST", endpoint, initial_access_token, body=metadata, seconds=seconds)
    return outcome(answer, Asked(profile, Registered(Client("", method)), endpoint))


def update(
    outbound: Outbound,
    registered: Registered,
    profile: Profile,
    *,
    scopes: Iterable[str] = (),
    seconds: float = SECONDS,
) -> Registered | Refused:
    """Replace all that this server says of itself (RFC 7592 section 2.2).

    Return the client as it is registered then, with new credentials if the answer has some.
    """
    url, token = registered.registration_client_uri, registered.registration_access_token
    if not url:
        return Refused(UNMANAGED)
    client = registered.client
    metadata = upstream_clients.client_metadata(profile, client.auth_method, scopes)
    changed = {"client_id": client.client_id} | metadata
    answer = send(outbound, "PUT", url, token, body=changed, seconds=seconds)
    return outcome(answer, Asked(profile, registered, url))


def delete(outbound: Outbound, url: str, token: str, *, seconds: float = SECONDS) -> Gone | Refused:
    """Delete a client where it is managed (RFC 7592 section 2.3); tell how it is gone."""
    if not url:
        return Refused(UNMANAGED)
    answer = send(outbound, "DELETE", url, token, seconds=seconds)
    return GONE.get(answer.status) or upstream_refusals.of_answer(answer)


def send(
    outbound: Outbound,
    method: str,
    url: str,
    token: str,
    *,
    body: Mapping[str, Any] | None = None,
    seconds: float,
) -> Answer:
    """Ask as a stranger's URL is asked; raises OutboundError for a token that is none, too."""
    if token and not _TOKEN.fullmatch(token):
        raise OutboundError("credential")
    headers = dict(JSON if body is None else POSTED)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    content = None if body is None else orjson.dumps(body)
    return outbound.stranger(url, method=method, headers=headers, content=content, seconds=seconds)


def outcome(answer: Answer, asked: Asked) -> Registered | Refused:
    """Return the client that an answer describes, or why it cannot be used."""
    if answer.status not in (200, 201):
        return upstream_refusals.of_answer(answer)
    try:
        found = json_answers.read_object(answer.content)
    except OutboundError:
        return Refused(UNREADABLE, status=answer.status)
    said = {name: value for name, value in found.items() if value not in (None, "", [])}
    described = client_of(said, asked)
    if isinstance(described, str):
        return Refused(described, status=answer.status)
    expires_at = said.get("client_secret_expires_at", asked.before.secret_expires_at)
    if type(expires_at) is not int or not 0 <= expires_at < LATEST:
        return Refused(WRONG_SECRET, status=answer.status)
    url, token = management(said, asked)
    return Registered(described, expires_at if described.client_secret else 0, url, token)


def client_of(said: Mapping[str, Any], asked: Asked) -> Client | str:
    """Return the client in an answer, else the sentence that says what is wrong with it."""
    before, profile = asked.before.client, asked.profile
    client_id = said.get("client_id")
    if not fits(_CLIENT_ID, client_id) or client_id != (before.client_id or client_id):
        return NO_CLIENT_ID
    uris = said.get("redirect_uris", [profile.redirect_uri])
    if not isinstance(uris, list) or profile.redirect_uri not in uris:
        return OTHER_REDIRECT
    method = said.get("token_endpoint_auth_method", before.auth_method)
    if method not in profile.methods:
        return OTHER_METHOD
    client = Client(str(client_id), method)
    if method not in SECRET_METHODS:
        return WRONG_SECRET if "client_secret" in said else client
    secret = said.get("client_secret", before.client_secret)
    return replace(client, client_secret=secret) if fits(_CLIENT_SECRET, secret) else WRONG_SECRET


def management(said: Mapping[str, Any], asked: Asked) -> tuple[str, str]:
    """Return where the client is managed and with which token, none of them without the other.

    An answer may renew them; those that lead to another origin do not count.
    """
    before = asked.before
    held = (before.registration_client_uri, before.registration_access_token)
    url = said.get("registration_client_uri", held[0])
    token = said.get("registration_access_token", held[1])
    usable = fits(_TOKEN, token) and isinstance(url, str)
    return (url, token) if usable and well_known.same_origin(url, asked.endpoint) else held


def fits(shape: re.Pattern[str], value: object) -> bool:
    """Tell whether a value is a text of some shape."""
    return isinstance(value, str) and shape.fullmatch(value) is not None
