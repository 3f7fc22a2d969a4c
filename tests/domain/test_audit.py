"""Audit: each thing that happens has its event, beside the change and in the same transaction."""

from collections.abc import Iterator
from dataclasses import astuple

import pytest
from flask import Flask

from app.domain import (
    admissions,
    authenticators,
    client_metadata,
    clients,
    consents,
    contact_details,
    decisions,
    key_rotation,
    new_passwords,
    policies,
    policy_versions,
    profiles,
    recovery_codes,
    registration_modes,
    registration_tokens,
    resources,
    scopes,
    second_factors,
    sessions,
    setup_links,
    signing_keys,
    software,
    users,
)
from app.domain.audit import SERVER, Actor, AuditEvent
from app.domain.audit_tags import Tag
from app.domain.passwords import Passwords
from app.domain.rules import Rule
from app.extensions import db

BY = Actor("operator", "u-1", "grace@people.example", "192.0.2.1", "request-1")
PASSWORD = "correct horse battery"
SEALING = b"s" * 32
RESOURCE = "https://api.example/mcp"
BODY = {"client_name": "Robot", "redirect_uris": ["https://robot.example/cb"]}


class World:
    """One of everything that a verb needs; the client's software waits or was approved by hand."""

    def __init__(self) -> None:
        self.hasher = Passwords(19456, 1)
        self.user = users.create("ada@people.example", "member", PASSWORD, self.hasher, by=SERVER)
        self.disabled = users.invite("bob@people.example", "member", by=SERVER)
        users.disable(self.disabled, by=SERVER)
        self.careful = users.invite("cat@people.example", "member", by=SERVER)
        authenticators.add(self.careful.id, b"sealed", 0)
        sessions.issue(self.user.id, lifetime_seconds=60, address="", user_agent="")
        scopes.create("tool:read", "Read", by=SERVER)
        scopes.create("tool:pay", "Pay", by=SERVER, four_eyes=True)
        resources.create(RESOURCE, "Tools", ["tool:read"], by=SERVER)
        self.metadata = client_metadata.parse(BODY)
        self.client, _ = admissions.create(self.metadata, by=SERVER, allowed=["tool:read"])
        self.asked = admissions.evidence(
            self.metadata, source="dcr", initial_access_token=None, address="", user_agent=""
        )
        waiting, _ = admissions.register(self.asked, policies.judge(self.asked), by=SERVER)
        self.waiting = software.get(waiting.software_id)
        self.token, _ = registration_tokens.create("Team", by=SERVER)
        signing_keys.ensure(SEALING, by=SERVER)
        consents.give(
            user_id=self.user.id,
            client_id=self.client.client_id,
            session_id="",
            redirect_uri=BODY["redirect_uris"][0],
            scopes=[],
            resources=[],
            by=SERVER,
        )
        db.session.commit()


VERBS = {
    Tag.CLIENT_REGISTERED: lambda w: admissions.register(w.asked, policies.judge(w.asked), by=BY),
    Tag.CLIENT_CREATED: lambda w: admissions.create(w.metadata, by=BY, allowed=[]),
    Tag.CLIENT_UPDATED: lambda w: clients.edit(w.client, by=BY, scopes=[], redirect_uris=()),
    Tag.CLIENT_DELETED: lambda w: clients.delete(w.client, "", by=BY),
    Tag.CLIENT_SUSPENDED: lambda w: clients.suspend(w.client, "", by=BY),
    Tag.CLIENT_SECRET_ROTATED: lambda w: clients.rotate_secret(w.client, by=BY),
    Tag.CLIENT_TOKENS_REVOKED: lambda w: clients.revoke_tokens(w.client, by=BY),
    Tag.SOFTWARE_APPROVED: lambda w: decisions.approve(
        w.waiting.id, w.waiting.revision, allowed=[], by=BY
    ),
    Tag.SOFTWARE_FIRST_APPROVED: lambda w: decisions.approve(
        w.waiting.id, w.waiting.revision, allowed=["tool:pay"], by=BY
    ),
    Tag.SOFTWARE_REJECTED: lambda w: decisions.reject(w.waiting.id, w.waiting.revision, "", by=BY),
    Tag.SOFTWARE_BLOCKED: lambda w: decisions.block(w.client.software_id, "", by=BY),
    Tag.SOFTWARE_JUSTIFIED: lambda w: decisions.justify(w.waiting.id, "why", by=BY),
    Tag.CONSENT_REVOKED: lambda w: consents.revoke(client_id=w.client.client_id, by=BY),
    Tag.USER_CREATED: lambda w: users.create("e@e.example", "viewer", PASSWORD, w.hasher, by=BY),
    Tag.USER_ROLE_CHANGED: lambda w: users.change_role(w.user, "viewer", by=BY),
    Tag.USER_CONTACT_CHANGED: lambda w: contact_details.change(
        w.user.id, contact_details.Details("+491234567"), by=BY
    ),
    Tag.USER_RENAMED: lambda w: profiles.rename(w.user, "Ada", by=BY),
    Tag.USER_DISABLED: lambda w: users.disable(w.user, by=BY),
    Tag.USER_ENABLED: lambda w: users.enable(w.disabled, by=BY),
    Tag.USER_PASSWORD_CHANGED: lambda w: users.set_password(w.user, "hash", by=BY),
    Tag.USER_PASSWORD_LINK_MADE: lambda w: new_passwords.issue(w.user, by=BY),
    Tag.USER_FACTOR_ADDED: lambda w: second_factors.note_added(w.user, "passkey", SEALING, by=BY),
    Tag.USER_FACTOR_REMOVED: lambda w: second_factors.remove(w.careful, by=BY),
    Tag.USER_FACTORS_RESET: lambda w: second_factors.reset(w.careful, by=BY),
    Tag.USER_RECOVERY_CODES_MADE: lambda w: recovery_codes.issue(w.user.id, SEALING, by=BY),
    Tag.USER_SESSIONS_ENDED: lambda w: sessions.end_others(w.user.id, None, by=BY),
    Tag.SETUP_LINK_MADE: lambda _: setup_links.issue(by=BY),
    Tag.INITIAL_TOKEN_CREATED: lambda _: registration_tokens.create("Team", by=BY),
    Tag.INITIAL_TOKEN_USED: lambda w: registration_tokens.redeem(w.token.id, by=BY),
    Tag.INITIAL_TOKEN_REVOKED: lambda w: registration_tokens.revoke(w.token.id, by=BY),
    Tag.SCOPE_CREATED: lambda _: scopes.create("tool:write", "Write", by=BY),
    Tag.SCOPE_UPDATED: lambda _: scopes.update(
        "tool:read", by=BY, description="Look", risk="low", is_default=False, four_eyes=False
    ),
    Tag.SCOPE_DELETED: lambda _: scopes.remove("tool:read", by=BY),
    Tag.RESOURCE_CREATED: lambda _: resources.create("https://b.example", "B", [], by=BY),
    Tag.RESOURCE_UPDATED: lambda _: resources.update(
        RESOURCE, by=BY, name="C", allowed=[], access_token_seconds=None
    ),
    Tag.RESOURCE_DELETED: lambda _: resources.remove(RESOURCE, by=BY),
    Tag.KEY_CREATED: lambda _: signing_keys.add(SEALING, "RS256", "next", by=BY),
    Tag.KEY_ROTATED: lambda _: key_rotation.rotate(SEALING, by=BY, early=True),
    Tag.KEY_COMPROMISED: lambda _: key_rotation.replace_compromised(SEALING, by=BY),
    Tag.POLICY_CHANGED: lambda _: policy_versions.save([Rule("r", "hold")], 0, by=BY),
    Tag.MODE_CHANGED: lambda _: registration_modes.switch("closed", "open", by=BY),
}


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """Return a furnished world."""
    with app.app_context():
        yield World()


def contents() -> dict[str, list[str]]:
    """Return every row of every table."""
    tables = db.metadatas[None].sorted_tables
    return {each.name: sorted(map(repr, db.session.execute(db.select(each)))) for each in tables}


@pytest.mark.parametrize("tag", VERBS)
def test_a_verb_leaves_its_event_with_its_change_or_neither(world: World, tag: Tag) -> None:
    """C-50, C-51: who, from where, in which request; a crash before the commit leaves nothing."""
    before = contents()
    VERBS[tag](world)
    mine = db.select(AuditEvent).where(AuditEvent.tag == tag, AuditEvent.actor_id == BY.id)
    events = db.session.scalars(mine).all()
    assert len(events) == {Tag.KEY_ROTATED: 2, Tag.KEY_COMPROMISED: 4}.get(tag, 1)
    for event in events:
        who = (event.actor_kind, event.actor_id, event.actor_name, event.address, event.request_id)
        assert who == astuple(BY)
    db.session.rollback()

    assert contents() == before
