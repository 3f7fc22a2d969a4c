"""Owns the fields in which operators say where a client hears of sign-outs, and people go then."""

from collections.abc import Mapping
from typing import Any

from flask import request

from app.config import current_settings
from app.console.forms import Form
from app.domain import client_metadata, openid_metadata

URIS, URL = client_metadata.LOGOUT


def typed(application_type: str, form: Form) -> dict[str, Any]:
    """Return what was typed as client metadata, by the rules of registration."""
    document: dict[str, object] = {"application_type": application_type}
    document |= {name: request.form.get(name, "").split() for name in ("redirect_uris", URIS)}
    url = request.form.get(URL, "").strip()
    found: dict[str, Any] = {URIS: [], URL: None}
    with form.blaming(URIS):
        found[URIS] = client_metadata.after_logout(document, current_settings().metadata_rules)
    with form.blaming(URL):
        found[URL] = openid_metadata.own_url(URL, url) if url else None
    return found


def shown(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return what the fields hold before anybody types."""
    return {URIS: "\n".join(metadata.get(URIS, ())), URL: metadata.get(URL, "")}


def sent() -> dict[str, str]:
    """Return what was typed as it was typed."""
    return {name: request.form.get(name, "") for name in (URIS, URL)}
