"""Owns what an app's wish that somebody signs out is worth (RP-Initiated Logout section 2)."""

from dataclasses import dataclass

from app import clock
from app.config import current_settings
from app.domain import errors, id_tokens
from app.domain.client_records import ClientRecord, Standing
from app.protocol import asking, authorization_request, caller
from app.protocol.answers import address
from app.protocol.parameters import Parameters

CONTRADICTION = (
    "The app names another app than its id_token_hint does, so you will not be sent back to it."
)
UNREGISTERED = (
    "The app wants to have you sent to an address that it did not register for this, or does not"
    " say which app it is; you will stay here."
)
TOO_LONG = "The request is too long for an address; leave the id_token_hint out."


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request whose every claim has been checked; what could not be proven is left out."""

    query: str
    """The whole request, to come back to it."""
    client: ClientRecord | None = None
    is_proven: bool = False
    """Whether an ID token names the client; else anybody may have made the request."""
    sid: str = ""
    """What the client knows the session by, according to its ID token."""
    return_url: str | None = None
    """Where the client has registered to have people sent, with its ``state``."""
    fault: str | None = None
    """Why nobody is sent back."""


def read(asked: Parameters) -> LogoutRequest:
    """Return what a request is worth; an ID token that is not one of ours is none."""
    query = authorization_request.canonical(asked)
    if len(query) > asking.LONGEST:
        raise errors.InvalidRequest(TOO_LONG)
    hint = id_tokens.hinted(current_settings().issuer, asked.get("id_token_hint") or "") or {}
    named = asked.get("client_id")
    if hint and named not in (None, hint["aud"]):
        return LogoutRequest(query, fault=CONTRADICTION)
    client = find_active(named or hint.get("aud"))
    uri, state = asked.get("post_logout_redirect_uri"), asked.get("state")
    known = client is not None and uri in client.openid.post_logout_redirect_uris
    return LogoutRequest(
        query=query,
        client=client,
        is_proven=bool(hint),
        sid=hint.get("sid", ""),
        return_url=address(uri, {"state": state} if state else {}) if uri and known else None,
        fault=UNREGISTERED if uri and not known else None,
    )


def find_active(client_id: str | None) -> ClientRecord | None:
    """Return a client that may send people here; others are nobody to come back to."""
    client = caller.look_up(client_id) if client_id else None
    active = client is not None and client.standing(clock.epoch()) is Standing.ACTIVE
    return client if active else None
