"""Owns the rules of client ID metadata documents: which URLs name one, what it must say."""

from collections.abc import Mapping
from typing import Any

from app.domain import client_metadata, errors, json_objects, redirect_uris
from app.domain.client_metadata import MetadataRules

MAXIMUM_BYTES = 5 * 1024
"""A longer document is refused; those of real clients have a third of it."""
METHOD = "token_endpoint_auth_method"
CHOICE = "token_endpoint_auth_methods_supported"
SECTOR = "sector_identifier_uri"
"""Not taken from a document, which is read while people wait: its redirect URIs have one host."""
SECRETS = ("client_secret", "client_secret_expires_at")
SHARED_SECRET_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
LEADS_ELSEWHERE = (
    "A redirect URI leads to another host than the document; ask the vendor whether it is theirs."
)


def is_url(client_id: str) -> bool:
    """Tell whether a client_id is the URL of a document.

    It has a host and a path in their one reading, nothing empty between slashes, no query, no
    fragment, no user and no dot segments.
    """
    if not client_id.startswith("https://") or "?" in client_id:
        return False
    try:
        path = redirect_uris.parse(client_id, errors.InvalidRequest).path
    except errors.Refusal:
        return False
    return path not in ("", "/") and "//" not in path


def read(url: str, document: object, rules: MetadataRules) -> dict[str, object]:
    """Return the metadata in the decoded document at a URL.

    Raises InvalidClientMetadata and whatever the parser of client metadata raises.
    """
    if not isinstance(document, dict) or document.get("client_id") != url:
        raise errors.InvalidClientMetadata(
            "The document must be a JSON object whose client_id is its URL, character by character."
        )
    if any(name in document for name in SECRETS):
        raise errors.InvalidClientMetadata("The document is public and must not hold a secret.")
    if not document.get("client_name"):
        raise errors.InvalidClientMetadata("The document must have a client_name.")
    kept = {name: document[name] for name in document if name != SECTOR}
    return client_metadata.parse(kept | _methods(document), rules)


def notes(url: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an approver should look at twice because of a document; without one nothing."""
    own = redirect_uris.host_of(url)
    web = (uri for uri in metadata.get("redirect_uris", ()) if uri.startswith("https://"))
    elsewhere = any(redirect_uris.host_of(uri) != own for uri in web)
    return (LEADS_ELSEWHERE,) if url and elsewhere else ()


def _methods(document: dict[str, object]) -> dict[str, object]:
    """Return the method of a client, and the others that it can do as well.

    Some documents prefer one method and list others (OpenID Connect Relying Party Metadata
    Choices); without a word about it a client is public. One that lists ``none`` is public too,
    whatever it prefers: anybody can be it. It may sign all the same.
    """
    said, listed = document.get(METHOD), document.get(CHOICE)
    if said in SHARED_SECRET_METHODS:
        raise errors.InvalidClientMetadata(
            "The document is public, so its client cannot authenticate with a shared secret."
        )
    given = [each for each in (said, listed) if each not in (None, "", [])]
    offered = [name for each in given for name in (each if isinstance(each, list) else [each])]
    for method in ("none", "private_key_jwt"):
        if method in offered or not given:
            return {METHOD: method, CHOICE: offered}
    raise errors.InvalidClientMetadata(
        "The client must be able to do none or private_key_jwt at the token endpoint."
    )


def pasted(content: bytes) -> dict[str, object]:
    """Return the document that an operator gives by hand; raises InvalidClientMetadata."""
    refusal = errors.InvalidClientMetadata(
        "The document must be a JSON object of 5 KB at most; give it as its server would."
    )
    return json_objects.pasted(content, MAXIMUM_BYTES, refusal)
