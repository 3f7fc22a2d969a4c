"""Owns what this server is at an upstream: how it describes itself, and as which client it asks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain import document_rules, redirect_uris
from app.domain.assertion_keys import ALGORITHM
from app.domain.signing_keys import ALGORITHM as OURS
from app.outbound.logins import AuthMethod
from app.outbound.upstream_metadata import ServerMetadata

SOFTWARE_ID = "gatewright"
BY_KEY: AuthMethod = "private_key_jwt"
SECRET_METHODS: tuple[AuthMethod, ...] = ("client_secret_basic", "client_secret_post")
METHODS: tuple[AuthMethod, ...] = (*SECRET_METHODS, "none")
"""What this server can do without a key, the best first."""
DEFAULT_METHODS = ("client_secret_basic",)
"""Of a server that does not say (RFC 8414 section 2)."""

DOCUMENT_PATH = "/.well-known/client-metadata.json"

NO_WAY = (
    "The other server neither registers clients nor reads a document of this one; ask its operators"
    " for a client with the redirect URI of this server, and enter what they give."
)
NO_METHOD = (
    "The other server takes no way of authentication that this server can do; ask its operators for"
    " a client with a secret, and enter what they give."
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What this server says of itself as a client."""

    client_name: str
    redirect_uri: str
    contacts: tuple[str, ...] = ()
    software_version: str = ""
    jwks_uri: str = ""
    """Where its public keys are, if it shall prove itself by key wherever it can."""

    @property
    def methods(self) -> tuple[AuthMethod, ...]:
        """Return how it can prove itself, the best way first."""
        return (BY_KEY, *METHODS) if self.jwks_uri else METHODS


@dataclass(frozen=True, slots=True)
class Client:
    """The client that this server is at an upstream."""

    client_id: str
    auth_method: AuthMethod
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """How this server becomes a client at an upstream; ``impossible`` comes with a sentence."""

    kind: Literal["given", "document", "registration", "impossible"]
    client: Client | None = None
    """The client, if there need not be made one."""
    sentence: str = ""


def how(
    server: ServerMetadata, profile: Profile, *, given: Client | None = None, own_url: str = ""
) -> Way:
    """Return how to become a client: a given one, our document at ``own_url``, registration."""
    if given is not None:
        return Way("given", given)
    if takes_document(server, profile, own_url):
        return Way("document", Client(own_url, document_method(profile)))
    if not server.registration_endpoint:
        return Way("impossible", sentence=NO_WAY)
    if auth_method(server, profile) is None:
        return Way("impossible", sentence=NO_METHOD)
    return Way("registration")


def takes_document(server: ServerMetadata, profile: Profile, own_url: str) -> bool:
    """Tell whether a server would accept the document of this one at a URL."""
    listed = server.token_endpoint_auth_methods_supported
    return (
        server.client_id_metadata_document_supported
        and document_rules.is_url(own_url)
        and (not listed or document_method(profile) in listed)
    )


def auth_method(server: ServerMetadata, profile: Profile) -> AuthMethod | None:
    """Return how a registered client will prove itself; None when there is no common way."""
    listed = server.token_endpoint_auth_methods_supported or DEFAULT_METHODS
    return next((method for method in profile.methods if method in listed), None)


def document_method(profile: Profile) -> AuthMethod:
    """Return how the client of a public document proves itself: never by a secret."""
    return BY_KEY if profile.jwks_uri else "none"


def document_url(issuer: str) -> str:
    """Return where the document of this server is, which is its client_id at upstreams."""
    return f"{issuer}{DOCUMENT_PATH}"


def own_document(issuer: str, profile: Profile) -> dict[str, Any]:
    """Return the client ID metadata document of this server."""
    method = document_method(profile)
    return {"client_id": document_url(issuer)} | client_metadata(profile, method)


def client_metadata(
    profile: Profile, method: AuthMethod, scopes: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the metadata of a client of this server (RFC 7591 section 2), no member empty."""
    is_native = redirect_uris.is_loopback(profile.redirect_uri)
    members = {
        "client_name": profile.client_name,
        "redirect_uris": [profile.redirect_uri],
        "application_type": "native" if is_native else "web",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        ALGORITHM: OURS if method == BY_KEY else "",
        "jwks_uri": profile.jwks_uri if method == BY_KEY else "",
        "scope": " ".join(scopes),
        "contacts": list(profile.contacts),
        "software_id": SOFTWARE_ID,
        "software_version": profile.software_version,
    }
    return {name: value for name, value in members.items() if value}
