"""Registrations: the queue of software, and where its pages and decisions are."""

from flask import Response, g, url_for

from app import clock
from app.console import bulk_decisions, logo_decisions, matching, software_decisions, software_page
from app.console.pages import asked, console_blueprint, render_page
from app.console.software_facts import row_of
from app.console.sorting import headers, is_usual, order_of, read, written
from app.console.windows import Window, first, window
from app.domain import risk_notes, software
from app.domain.software import ORDERS, Software

bp = console_blueprint("registrations", __name__, "/registrations")
TABS = ("pending", "approved", "rejected", "blocked", "expired")


@bp.get("/")
def list_registrations() -> Response:
    """Show software by what was decided about it, found and sorted by the address."""
    status, search = chosen_status(), asked("q")
    counts = software.counts()
    shown = find_window(status, search)
    matched = offered(status, search, shown)
    now, approved = clock.epoch(), risk_notes.approved_names() if status == "pending" else ()
    return render_page(
        "registrations.html",
        "_registration_list.html",
        pending_count=counts["pending"],
        status=status,
        tabs=tabs(status, counts),
        rows=[row_of(row, now, approved) for row in shown.rows],
        shown=shown,
        headers=headers(ORDERS),
        search=search,
        clear_url=url_for("registrations.list_registrations", status=status),
        arrivals_url=arrivals_url(shown.rows[0] if shown.rows else None),
        failures=bulk_decisions.take_failures(),
        undoable=bulk_decisions.undoable(now),
        total=counts[status],
        matching=matched,
        filters={"q": search} if matched and search else {},
    )


def find_window(status: str, search: str) -> Window[Software]:
    """Return the page of software that the address asks for."""
    order = order_of(ORDERS)

    def find(older: str | None, newer: str | None, size: int) -> list[Software]:
        after, before = read(order, older), read(order, newer)
        return software.find_page(
            status, search=search, order=order, after=after, before=before, size=size
        )

    return window(find, lambda row: written(order.key(row)))


def offered(status: str, search: str, shown: Window[Software]) -> matching.Matching | None:
    """Return what can be decided about beyond the rows of the page, if there is more."""
    return matching.offered(search) if status == "pending" and not shown.is_whole else None


@bp.get("/arrivals")
def count_arrivals() -> Response:
    """Say how much software has come since a page was loaded; asked by the page by itself."""
    g.unattended = True
    number = software.count_newer("pending", asked("after"))
    return render_page(
        "_arrivals.html", number=number, url=url_for("registrations.list_registrations")
    )


def arrivals_url(newest: Software | None) -> str | None:
    """Return where the first page of the queue asks for arrivals; other pages do not ask."""
    elsewhere = any(map(asked, ("older", "newer", "q"))) or not is_usual(ORDERS)
    if chosen_status() != "pending" or elsewhere:
        return None
    return url_for("registrations.count_arrivals", after=newest.id if newest is not None else None)


def chosen_status() -> str:
    """Return the status whose tab is open."""
    status = asked("status")
    return status if status in TABS else TABS[0]


def tabs(current: str, counts: dict[str, int]) -> list[tuple[str, str, bool, int]]:
    """Return label, address, whether it is open, and number; Expired only when there is any."""
    shown = [name for name in TABS if name != "expired" or counts[name] or name == current]
    return [
        (
            name.capitalize(),
            first(status=name, q=None),
            name == current,
            counts[name],
        )
        for name in shown
    ]


bp.post("/approve")(bulk_decisions.approve_selected)
bp.post("/reject")(bulk_decisions.reject_selected)
bp.post("/undo")(bulk_decisions.undo_selected)
bp.get("/<software_id>")(software_page.show_registration)
bp.get("/<software_id>/logo/<digest>")(logo_decisions.preview_logo)
bp.post("/<software_id>/fetch-logo")(logo_decisions.fetch_logo)
bp.post("/<software_id>/show-logo")(logo_decisions.show_logo)
bp.post("/<software_id>/hide-logo")(logo_decisions.hide_logo)
bp.post("/<software_id>/approve")(software_decisions.approve)
bp.post("/<software_id>/forget")(software_decisions.forget)
bp.post("/<software_id>/renew")(software_decisions.renew)
bp.post("/<software_id>/reject")(software_decisions.reject)
bp.post("/<software_id>/block")(software_decisions.block)
bp.post("/<software_id>/reopen")(software_decisions.reopen)
bp.post("/<software_id>/unblock")(software_decisions.unblock)
