"""Events for the audit trail to show, and which of them a page of it lists."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.domain import audit
from app.domain.audit import SERVER, Actor, Filters
from app.domain.audit_tags import Tag
from app.extensions import db

TRAIL = "/admin/audit/"
PERSON = Actor("operator", "u-1", "ada@example.org", "192.0.2.7", "request-1")
MACHINE = Actor("client", "client-1", "=1+1", "192.0.2.8", "request-2")


def listed(page):
    """Return the numbers of the events on a page, in its order."""
    return [int(number) for number in re.findall(r'row-link" href="/admin/audit/(\d+)"', page)]


@pytest.fixture
def record(app: Flask) -> Callable[..., int]:
    """Return a function that records an event and gives its number."""

    def happen(tag: Tag, subject: str = "subject", by: Actor = PERSON, **detail: Any) -> int:
        with app.app_context():
            audit.record(tag, subject, by=by, **detail)
            db.session.commit()
            return audit.find_page(Filters(), size=1)[0].id

    return happen


@pytest.fixture
def trail(record: Callable[..., int], clock: Any) -> dict[str, int]:
    """Record three different events, an hour between them; return their numbers by name."""
    found = {"approved": record(Tag.SOFTWARE_APPROVED, "software-1", reason="fine")}
    clock.advance(3600)
    found["token"] = record(Tag.TOKEN_ISSUED, "grant-1", by=MACHINE, client_id="client-1")
    clock.advance(3600)
    found["rejected"] = record(Tag.SOFTWARE_REJECTED, "software-2", by=SERVER)
    return found
