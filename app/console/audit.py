"""The audit trail: search it, read one event, export it."""

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.console import audit_export
from app.console.audit_facts import as_json, instant_ms, row_of, subject_url
from app.console.differences import differences, lines_of
from app.console.pages import asked, console_blueprint, render_page, requires_fresh
from app.console.windows import chips, window
from app.domain import audit, errors, users
from app.domain.audit import AuditEvent, Filters
from app.domain.audit_tags import Tag

bp = console_blueprint("audit", __name__, "/audit")
LABELS = {
    "tag": "Event",
    "client_id": "Client",
    "actor": "Done by",
    "subject": "About",
    "request_id": "Request",
    "since": "Since",
    "until": "Until",
}
LONGEST = 2048
LONGEST_KEY = 18


@bp.get("/")
def list_events() -> Response:
    """Show events, newest first, filtered by the address."""
    wanted = filters()
    shown = window(
        lambda older, newer, size: audit.find_page(
            wanted, older_than=key(older), newer_than=key(newer), size=size
        ),
        lambda event: str(event.id),
    )
    return render_page(
        "audit.html",
        "_audit_list.html",
        rows=[row_of(event) for event in shown.rows],
        shown=shown,
        asked={name: word(name) for name in LABELS},
        chips=chips((name, LABELS[name], value) for name, value in asked_for().items()),
        tags=tag_choices(),
        exports=[
            (label, url_for(f"audit.export_{kind}", **asked_for()))
            for kind, label in (("csv", "Export CSV"), ("json", "Export JSON"))
        ],
        export_rows=audit_export.MOST,
        clear_url=url_for("audit.list_events"),
    )


@bp.get("/<int:event_id>")
def show_event(event_id: int) -> Response:
    """Show everything about one event."""
    event = audit.find(event_id)
    if event is None:
        raise errors.NotFound("There is no event with this number.")
    detail = dict(event.detail)
    before, after = detail.pop("before", None), detail.pop("after", None)
    changed = None
    if isinstance(before, dict) or isinstance(after, dict):
        changed = differences(before or {}, after or {})
    elif before is not None or after is not None:
        changed = differences({"value": before}, {"value": after})
    return render_page(
        "audit_event.html",
        event=event,
        at=instant_ms(event.at_ms),
        subject_url=subject_url(event),
        changed=changed,
        detail=[(name, lines_of(value)) for name, value in sorted(detail.items())],
        json=orjson.dumps(as_json(event), option=orjson.OPT_INDENT_2).decode(),
        more=more_of(event),
    )


@bp.post("/export.csv")
@requires_fresh("viewer", back="audit.list_events")
def export_csv() -> BaseResponse:
    """Give out the newest matching events as CSV; recorded, and therefore a POST."""
    return audit_export.answer("csv", filters(), asked_for())


@bp.post("/export.json")
@requires_fresh("viewer", back="audit.list_events")
def export_json() -> BaseResponse:
    """Give out the newest matching events as JSON."""
    return audit_export.answer("json", filters(), asked_for())


def filters() -> Filters:
    """Return what the address asks for; raises InvalidRequest for what is no time."""
    actor = word("actor")
    user = users.find_by_email(actor) if "@" in actor else None
    return Filters(
        tag=word("tag"),
        client_id=word("client_id"),
        actor=user.id if user is not None else actor,
        request_id=word("request_id"),
        subject=word("subject"),
        since_ms=moment("since"),
        until_ms=moment("until"),
    )


def word(name: str) -> str:
    """Return a value of the address, as long as an identifier may be."""
    return asked(name, LONGEST)


def moment(name: str) -> int | None:
    """Return a moment of the address in epoch milliseconds; a time without zone is UTC."""
    written = word(name)
    if not written:
        return None
    try:
        parsed = datetime.fromisoformat(written)
        zoned = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        return int(zoned.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise errors.InvalidRequest(
            "A time is written as 2031-05-04T09:00 in UTC; correct since or until."
        ) from None


def key(written: str | None) -> int | None:
    """Return the number of a neighbouring event."""
    usable = written is not None and written.isascii() and written.isdigit()
    return int(written) if written is not None and usable and len(written) <= LONGEST_KEY else None


def asked_for() -> dict[str, Any]:
    """Return the filters in force as they stand in the address."""
    return {name: word(name) for name in LABELS if word(name)}


def tag_choices() -> list[tuple[str, str]]:
    """Return what the tag filter offers: each kind, followed by its tags."""
    found = {"": "Everything"}
    for tag in sorted(Tag, key=lambda tag: (tag.kind, tag.value)):
        found.setdefault(tag.kind, f"{tag.kind}: all of it")
        found[tag.value] = tag.value
    return list(found.items())


def more_of(event: AuditEvent) -> list[tuple[str, str]]:
    """Return label and address of lists that this event belongs to."""
    known: dict[str, Any] = {
        "request_id": ("Everything in this request", event.request_id),
        "subject": ("Everything about this", event.subject),
        "client_id": ("Everything about this client", event.client_id),
        "actor": ("Everything by this actor", event.actor_id),
    }
    return [
        (label, url_for("audit.list_events", **{name: value}))
        for name, (label, value) in known.items()
        if value
    ]
