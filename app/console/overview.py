"""The first page of the console: what waits, what is turned away, what happened lately."""

from dataclasses import dataclass

from flask import Response, url_for

from app import clock
from app.config import current_settings
from app.console.audit_facts import row_of
from app.console.pages import console_blueprint, render_page
from app.domain import (
    activity,
    audit,
    client_lists,
    registration_modes,
    registration_tokens,
    resources,
    scopes,
    software,
)
from app.domain.audit import Filters
from app.domain.audit_tags import Tag
from app.views import instant

bp = console_blueprint("overview", __name__, "")
DAY = 86400
RECENT = 10
ENDING_SECONDS = 7 * DAY
TURNED_AWAY = {
    Tag.REGISTRATION_REFUSED: "Registrations refused",
    Tag.REQUEST_REFUSED: "Requests refused",
    Tag.LIMIT_REACHED: "Rate limits reached",
    Tag.USER_SIGN_IN_FAILED: "Sign-ins failed",
    Tag.CONSENT_DENIED: "Consents denied by people",
    Tag.CODE_REPLAYED: "Codes replayed",
    Tag.DEVICE_CODE_REPLAYED: "Device codes replayed",
    Tag.TOKEN_REPLAYED: "Refresh tokens replayed",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One number that leads to what it counts."""

    number: int
    label: str
    url: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do on a new server."""

    done: bool
    label: str
    hint: str
    url: str


@bp.get("/")
def show_overview() -> Response:
    """Show the page."""
    since = clock.epoch() - DAY
    since_text = (instant(since) or "")[:16]
    lately = activity.counts((*TURNED_AWAY, Tag.TOKEN_ISSUED, Tag.TOKEN_REFRESHED), since * 1000)
    pending = software.count("pending")
    return render_page(
        "overview.html",
        pending_count=pending,
        tiles=tiles(pending),
        issued=[
            (label, lately[tag], events_url(tag, since_text))
            for tag, label in ((Tag.TOKEN_ISSUED, "Issued"), (Tag.TOKEN_REFRESHED, "Refreshed"))
        ],
        refusals=[
            (label, lately[tag], events_url(tag, since_text)) for tag, label in TURNED_AWAY.items()
        ],
        mode=registration_modes.current(current_settings().registration_mode),
        issuer=current_settings().issuer,
        steps=steps(),
        events=[row_of(event) for event in audit.find_page(Filters(), size=RECENT)],
    )


def tiles(pending: int) -> list[Tile]:
    """Return the numbers of this moment."""
    suspended = client_lists.count("suspended")
    now = clock.epoch()
    ending = registration_tokens.count_ending(now, ENDING_SECONDS)
    lapsing = software.count_ending(now, ENDING_SECONDS)
    return [
        Tile(
            pending,
            "waiting for a decision",
            url_for("registrations.list_registrations"),
            "wait" if pending else "",
        ),
        Tile(
            client_lists.count("active"),
            "active clients",
            url_for("clients_console.list_clients", standing="active"),
        ),
        Tile(
            suspended,
            "suspended clients",
            url_for("clients_console.list_clients", standing="suspended"),
        ),
        Tile(
            ending,
            "initial access tokens used up or ending within 7 days",
            url_for("initial_access_tokens.list_tokens"),
            "wait" if ending else "",
        ),
        Tile(
            lapsing,
            "approvals ended or ending within 7 days",
            url_for("registrations.list_registrations", status="approved"),
            "wait" if lapsing else "",
        ),
    ]


def events_url(tag: Tag, since: str) -> str:
    """Return the address of the events that a number counts."""
    return url_for("audit.list_events", tag=tag.value, since=since)


def steps() -> list[Step]:
    """Return what is left to do on a new server; nothing once an app has got its first token."""
    if activity.has_happened(Tag.TOKEN_ISSUED):
        return []
    queue = url_for("registrations.list_registrations")
    counts = software.counts()
    approved = counts["approved"] > 0
    own_scopes = any(scope.name not in scopes.BUILT_IN for scope in scopes.find_all())
    return [
        Step(
            own_scopes,
            "Name the scopes that apps may ask for",
            "In words people understand; approvers and people who consent read them.",
            url_for("scopes.list_scopes"),
        ),
        Step(
            bool(resources.find_all()),
            "Describe the resources that take the tokens",
            "One entry for each MCP server or API, with its URI and its scopes.",
            url_for("resources.list_resources"),
        ),
        Step(
            sum(counts.values()) > 0,
            "Let a first app register",
            "Point it at the issuer below; it registers itself and waits in the queue.",
            queue,
        ),
        Step(
            approved,
            "Decide about it",
            "Approve it, with fewer scopes than it asked for if you like, or reject it.",
            queue,
        ),
        Step(
            False,
            "See it get its first token",
            "It goes on by itself; this list disappears then.",
            url_for("audit.list_events"),
        ),
    ]
