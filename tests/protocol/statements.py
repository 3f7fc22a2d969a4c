"""Registrations with a software statement, and an app that fetches the keys of the vendor.

Test files import its fixture ``outside``.
"""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.protocol import vendors
from tests.protocol.registrants import Registrant, post

INVALID, UNAPPROVED = "invalid_software_statement", "unapproved_software_statement"


@pytest.fixture
def outside(app: Flask, monkeypatch: pytest.MonkeyPatch) -> vendors.Outside:
    """Return the outside of an app that trusts the vendor and fetches its keys."""
    vendors.trust(app, jwks=None, jwks_uri=vendors.KEYS_URI)
    found = vendors.Outside("ES256")
    monkeypatch.setattr(app.extensions["gatewright.key_sets"], "outbound", found)
    return found


def send(http: FlaskClient, statement: str, **changes: Any) -> TestResponse:
    """Register with a statement and, next to it, what a stranger would say."""
    return post(http, changes, software_statement=statement)


def sent(http: FlaskClient, statement: str, **changes: Any) -> Registrant:
    """Register with a statement that must be taken."""
    answer = send(http, statement, **changes)
    assert answer.status_code == 201, answer.text
    return Registrant(http, answer.get_json())
