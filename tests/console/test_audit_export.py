"""Exports of the audit trail: complete, recorded, harmless in a spreadsheet."""

import csv
import io
import json
import re

import pytest

from app.console import audit_export
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from tests.console.events import TRAIL, listed


def export(browser, csrf, kind, query=""):
    """Return the answer to an export of what a query finds."""
    return browser.post(f"{TRAIL}export.{kind}{query}", data={"csrf_token": csrf(browser)})


def test_an_export_holds_the_filtered_events_and_is_an_event_itself(sign_in, csrf, trail, happened):
    viewer = sign_in("viewer")

    as_csv = export(viewer, csrf, "csv", "?tag=software&actor=u-1")
    as_json = export(viewer, csrf, "json", "?tag=software")

    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [int(row["id"]) for row in table] == [trail["approved"]]
    assert json.loads(table[0]["detail"]) == {"reason": "fine"}
    assert [event["id"] for event in as_json.json["events"]] == [
        trail["rejected"],
        trail["approved"],
    ]
    assert as_json.json["complete"] is True
    assert re.fullmatch(
        r'attachment; filename="gatewright-audit-\d{8}T\d{6}Z\.csv"',
        as_csv.headers["Content-Disposition"],
    )
    assert as_csv.headers["Cache-Control"] == "no-store"
    later, earlier = happened(Tag.AUDIT_EXPORTED)
    assert (earlier.actor_name, earlier.detail) == (
        "viewer@example.org",
        {
            "format": "csv",
            "filters": {"tag": "software", "actor": "u-1"},
            "count": 1,
            "complete": True,
        },
    )
    assert later.detail["format"] == "json"


@pytest.mark.parametrize("start", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_no_cell_of_an_export_is_a_formula(viewer, csrf, record, start):
    """X-31: whatever a stranger calls itself, a spreadsheet shows it as text."""
    actor = Actor("client", start, start, start, start)
    record(Tag.CODE_ISSUED, start, by=actor, client_id=start)

    text = export(viewer, csrf, "csv", "?tag=code.issued").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))

    for column in ("subject", "client_id", "actor_id", "actor_name", "address", "request_id"):
        assert row[column] == f"'{start}"


def test_an_export_says_when_it_is_not_everything(viewer, csrf, record, monkeypatch):
    monkeypatch.setattr(audit_export, "MOST", 3)
    numbers = [record(Tag.CODE_ISSUED) for _ in range(5)]

    found = export(viewer, csrf, "json", "?tag=code.issued").json

    assert [event["id"] for event in found["events"]] == numbers[:1:-1]
    assert found["complete"] is False


def test_an_export_needs_a_form_of_this_session(viewer, csrf, happened):
    """C-20, C-21: it is recorded, so it is a POST with a token."""
    for kind in ("csv", "json"):
        assert viewer.get(f"{TRAIL}export.{kind}").status_code in (404, 405)
        assert viewer.post(f"{TRAIL}export.{kind}").status_code == 400
        foreign = {"Sec-Fetch-Site": "cross-site"}
        form = {"csrf_token": csrf(viewer)}
        answer = viewer.post(f"{TRAIL}export.{kind}", data=form, headers=foreign)
        assert answer.status_code == 403
    assert happened(Tag.AUDIT_EXPORTED) == []


def test_the_trail_holds_no_credential(admin, csrf, register, client):
    """X-47: nothing that was issued can be read from pages or exports."""
    registered = register()
    token = registered["registration_access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/clients/{registered['client_id']}"
    sent = {"client_id": registered["client_id"], "client_name": "Other"}
    sent |= {"redirect_uris": ["https://client.example/cb"]}
    assert client.put(path, json=sent, headers=bearer).status_code == 200
    assert client.delete(path, headers=bearer).status_code == 204

    shown = export(admin, csrf, "csv").text + export(admin, csrf, "json").text
    for number in listed(admin.get(f"{TRAIL}?size=100").text):
        shown += admin.get(f"{TRAIL}{number}").text

    assert "Other" in shown
    for secret in (token, registered["client_secret"]):
        assert secret not in shown
