"""Owns what clients say about how people sign in to them (OpenID Connect Registration)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import client_texts, errors, redirect_uris
from app.domain.key_algorithms import ES256, RS256

ALGORITHMS = (RS256, ES256)
"""The default of OpenID Connect comes first."""
PAIRWISE = "pairwise"
SUBJECT_TYPES = ("public", PAIRWISE)
SUBJECTS_CHANGED = "its subject identifiers changed"
NO_SECTOR = (
    "Pairwise subjects need redirect_uris of one https host, or a sector_identifier_uri that lists"
    " them; send one of these, or subject_type public."
)
NEW_SUBJECTS = (
    "It would know everybody by another subject identifier: people who used it before come to it as"
    " strangers, and have to sign in anew."
)


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """How one client wants to hear about people."""

    id_token_algorithm: str = RS256
    userinfo_algorithm: str | None = None
    """None means plain JSON."""
    default_max_age: int | None = None
    """The allowed age of a sign-in in seconds where the request does not say."""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    sector: str | None = None
    """Those it shares its subject identifiers with; None means with everybody."""

    @property
    def hears_logout(self) -> bool:
        """Tell whether it wants to be told that a session has ended."""
        return self.backchannel_logout_uri is not None


def of_metadata(metadata: Mapping[str, Any]) -> OpenIdClient:
    """Return what a client said."""
    return OpenIdClient(
        metadata.get("id_token_signed_response_alg", RS256),
        metadata.get("userinfo_signed_response_alg"),
        metadata.get("default_max_age"),
        tuple(metadata.get("post_logout_redirect_uris", ())),
        metadata.get("backchannel_logout_uri"),
        sector_of(metadata),
    )


def sector_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the host that pairwise subjects belong to, None for public ones (Core section 8.1)."""
    if metadata.get("subject_type") != PAIRWISE:
        return None
    uri = metadata.get("sector_identifier_uri") or metadata["redirect_uris"][0]
    return host(uri)


def host(uri: str) -> str:
    """Return the host component of a URI that was accepted before."""
    return redirect_uris.parse(uri, errors.InvalidRequest).host.lower()


def check_sector(metadata: Mapping[str, Any]) -> None:
    """Refuse pairwise subjects of a client that anybody could make the same of.

    Whoever registers loopback or private-use redirect URIs, or none, would share one sector.
    """
    if metadata.get("subject_type") != PAIRWISE:
        return
    uris = metadata.get("redirect_uris", ())
    of_one_host = all(uri.startswith("https:") for uri in uris) and len(set(map(host, uris))) == 1
    if not uris or not (of_one_host or "sector_identifier_uri" in metadata):
        raise errors.InvalidClientMetadata(NO_SECTOR)


def notes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an approver should know about a change of subjects."""
    return () if sector_of(before) == sector_of(after) else (NEW_SUBJECTS,)


def algorithm(member: str, value: object) -> str:
    """Return an algorithm that this server signs with; never ``none``."""
    if value not in ALGORITHMS:
        raise client_texts.refuse(member, "must be RS256 or ES256, as the server metadata say.")
    return str(value)


def seconds(member: str, value: object) -> int:
    """Return an age of at least one second: whoever wants a sign-in each time sends max_age=0."""
    if type(value) is not int or not 1 <= value < 10**9:
        raise client_texts.refuse(member, "must be a whole number of seconds from 1.")
    return value


def subject_type(member: str, value: object) -> str:
    """Return whether all clients know a person by the same ``sub``, or each sector by its own."""
    if value not in SUBJECT_TYPES:
        raise client_texts.refuse(member, "must be public or pairwise.")
    return str(value)


def own_url(member: str, value: object) -> str:
    """Return a URL that this server calls: https, or http to loopback, where operators allow it."""
    raw = client_texts.string(member, value)
    if redirect_uris.is_loopback(raw):
        redirect_uris.parse(raw, lambda what: client_texts.refuse(member, what))
        return raw
    return client_texts.https_url(member, raw)


RULES = {
    "id_token_signed_response_alg": algorithm,
    "userinfo_signed_response_alg": algorithm,
    "default_max_age": seconds,
    "require_auth_time": client_texts.flag,
    "initiate_login_uri": client_texts.https_url,
    "subject_type": subject_type,
    "backchannel_logout_uri": own_url,
    "backchannel_logout_session_required": client_texts.flag,
    "sector_identifier_uri": client_texts.https_url,
}
"""Members about encryption have no rule, so they are dropped: there is none."""
