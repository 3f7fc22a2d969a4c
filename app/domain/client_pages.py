"""Owns to which addresses of an app people are led: those at a host where it is known already."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from app.domain import redirect_uris

LABELS = {"policy_uri": "Privacy policy", "tos_uri": "Terms of service"}


class Page(NamedTuple):
    """One page of an app, and where it is."""

    label: str
    url: str
    host: str


def of(metadata: Mapping[str, Any], client_id: str) -> list[Page]:
    """Return what an app writes about itself; ``metadata`` are those that were approved."""
    at_home = ((label, link(metadata, name, client_id)) for name, label in LABELS.items())
    return [Page(label, url, redirect_uris.host_of(url)) for label, url in at_home if url]


def opening(metadata: Mapping[str, Any], client_id: str, issuer: str) -> str | None:
    """Return where people begin to sign in to an app (OpenID Connect Core section 4)."""
    url = link(metadata, "initiate_login_uri", client_id)
    if url is None:
        return None
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'iss': issuer})}"


def link(metadata: Mapping[str, Any], name: str, client_id: str) -> str | None:
    """Return an address, if codes go to its host over https, or the app's document is there."""
    url = metadata.get(name)
    known = [uri for uri in (*metadata.get("redirect_uris", ()), client_id) if is_web(uri)]
    at_home = url is not None and is_web(url) and host(url) in map(host, known)
    return url if at_home else None


def is_web(uri: str) -> bool:
    """Tell whether an address is one of the web."""
    return uri.startswith("https://")


def host(uri: str) -> str:
    """Return host and port, without regard to case."""
    return redirect_uris.host_of(uri).lower()
