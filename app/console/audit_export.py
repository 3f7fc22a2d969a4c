"""Owns exports of the audit trail, which are events of the trail themselves."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response

from app import clock
from app.console.audit_facts import as_json
from app.console.pages import actor
from app.domain import audit
from app.domain.audit import AuditEvent, Filters
from app.domain.audit_tags import Tag
from app.extensions import db
from app.views import instant

MOST = 10_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets calculate what begins with one of these."""
COLUMNS = (
    "id",
    "at",
    "tag",
    "subject",
    "client_id",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "request_id",
    "detail",
)
TYPES = {"csv": "text/csv", "json": "application/json"}


def answer(kind: str, filters: Filters, asked: Mapping[str, str]) -> Response:
    """Record an export and answer it as a file: at most 10,000 events, newest first."""
    found = audit.find_page(filters, size=MOST + 1)
    events, complete = found[:MOST], len(found) <= MOST
    body = to_csv(events) if kind == "csv" else to_json(events, asked, complete=complete)

    audit.record(
        Tag.AUDIT_EXPORTED,
        "audit",
        by=actor(),
        format=kind,
        filters=dict(asked),
        count=len(events),
        complete=complete,
    )
    db.session.commit()

    stamp = (instant(clock.epoch()) or "").replace("-", "").replace(":", "")
    response = Response(body, mimetype=TYPES[kind])
    response.headers["Content-Disposition"] = (
        f'attachment; filename="gatewright-audit-{stamp}.{kind}"'
    )
    return response


def to_json(events: Sequence[AuditEvent], asked: Mapping[str, str], *, complete: bool) -> bytes:
    """Write events as one JSON object that says whether it is everything."""
    return orjson.dumps(
        {
            "exported_at": instant(clock.epoch()),
            "filters": dict(asked),
            "complete": complete,
            "events": [as_json(event) for event in events],
        },
        option=orjson.OPT_INDENT_2,
    )


def to_csv(events: Sequence[AuditEvent]) -> str:
    """Write events as CSV that no spreadsheet takes for formulas."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for event in events:
        values = as_json(event)
        writer.writerow([cell(values[name]) for name in COLUMNS])
    return output.getvalue()


def cell(value: Any) -> str:
    """Write one cell; a quote before it keeps a spreadsheet from calculating it."""
    if isinstance(value, dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
