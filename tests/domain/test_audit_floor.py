"""The least that an audit trail of such a server holds; each row has a tag of ours or a reason."""

import re
from pathlib import Path

import pytest

from app.domain import users
from app.domain.audit_tags import Tag

APP = Path(__file__).parents[2] / "app"
ROWS = 40
"""So many kinds of events the nearest complete product has, by whose names they go here."""
READERS = ("announcements", "gate_answers", "overview", "reversals", "simulations")
"""Modules that name tags of events which others record."""

TAGS = {
    "AUTHENTICATION_SUCCESS": [Tag.USER_SIGNED_IN],
    "AUTHENTICATION_FAILURE": [Tag.USER_SIGN_IN_FAILED],
    "OAUTH_AUTHENTICATION": [Tag.USER_IDENTITY_USED],
    "OAUTH_CONNECTION_DELETED": [Tag.USER_IDENTITY_UNLINKED],
    "LOGOUT": [Tag.USER_SIGNED_OUT],
    "AUTHORIZATION_CODE_GENERATED": [Tag.CODE_ISSUED],
    "AUTHORIZATION_CODE_EXCHANGED": [Tag.CODE_REDEEMED],
    "AUTHORIZATION_CODE_DENIED": [Tag.CONSENT_DENIED],
    "ACCESS_TOKEN_ISSUED": [Tag.TOKEN_ISSUED],
    "REFRESH_TOKEN_ISSUED": [Tag.TOKEN_ISSUED, Tag.TOKEN_REFRESHED],  # detail: refresh_token
    "ID_TOKEN_ISSUED": [Tag.TOKEN_ISSUED],  # detail: id_token
    "TOKEN_REFRESHED": [Tag.TOKEN_REFRESHED],
    "TOKEN_REVOKED": [Tag.TOKEN_REVOKED],
    "CLIENT_CREDENTIALS_TOKEN_ISSUED": [Tag.TOKEN_ISSUED],  # detail: grant_type
    "TOKEN_INTROSPECTED": [Tag.TOKEN_INTROSPECTED],
    "CLIENT_CREATED": [Tag.CLIENT_CREATED],
    "CLIENT_REGISTERED": [Tag.CLIENT_REGISTERED],
    "CLIENT_UPDATED": [Tag.CLIENT_UPDATED],
    "CLIENT_DELETED": [Tag.CLIENT_DELETED],
    "CLIENT_SECRET_REGENERATED": [Tag.CLIENT_SECRET_ROTATED],
    "CLIENT_APPROVED": [Tag.SOFTWARE_APPROVED],
    "CLIENT_REJECTED": [Tag.SOFTWARE_REJECTED],
    "CLIENT_TOKENS_REVOKED_ALL": [Tag.CLIENT_TOKENS_REVOKED],
    "USER_CREATED": [Tag.USER_CREATED],
    "USER_DISABLED": [Tag.USER_DISABLED],
    "USER_ENABLED": [Tag.USER_ENABLED],
    "USER_PASSWORD_RESET": [Tag.USER_PASSWORD_LINK_MADE, Tag.USER_PASSWORD_CHANGED],
    "USER_ROLE_CHANGED": [Tag.USER_ROLE_CHANGED],
    "USER_UPDATED": [Tag.USER_ROLE_CHANGED, Tag.USER_PASSWORD_CHANGED],
    "USER_AUTHORIZATION_GRANTED": [Tag.CONSENT_GIVEN],
    "USER_AUTHORIZATION_REVOKED": [Tag.CONSENT_REVOKED],
    "RATE_LIMIT_EXCEEDED": [Tag.LIMIT_REACHED],
    "SUSPICIOUS_ACTIVITY": [Tag.CODE_REPLAYED, Tag.TOKEN_REPLAYED],
    "DEVICE_CODE_GENERATED": [Tag.DEVICE_CODE_ISSUED],
    "DEVICE_CODE_AUTHORIZED": [Tag.DEVICE_CODE_APPROVED],
    "AUDIT_LOG_EXPORTED": [Tag.AUDIT_EXPORTED],
}

REASONS = {
    "TOKEN_DISABLED": "A token ends for good; its client is suspended and resumed instead.",
    "TOKEN_ENABLED": "A token ends for good; its client is suspended and resumed instead.",
    "AUDIT_LOG_VIEWED": "Looking at a page changes nothing; what leaves as a file is on record.",
}
"""Why there is no tag and will be none."""

IMPOSSIBLE = {
    "USER_DELETED": "delete",
}
"""What cannot happen, because users have no such verb."""


def test_every_row_of_the_list_is_answered_once():
    answered = [*TAGS, *REASONS, *IMPOSSIBLE]

    assert len(answered) == len(set(answered)) == ROWS


@pytest.mark.parametrize("event", TAGS)
def test_a_tag_of_the_list_is_recorded_by_somebody(event: str) -> None:
    sources = [path.read_text() for path in APP.rglob("*.py") if path.stem not in READERS]

    for tag in TAGS[event]:
        assert any(re.search(rf"\bTag\.{tag.name}\b", source) for source in sources)


def test_what_cannot_happen_needs_a_tag_as_soon_as_it_can() -> None:
    """Give it a tag, record it, and move its row to TAGS."""
    assert [each for each, verb in IMPOSSIBLE.items() if hasattr(users, verb)] == []
