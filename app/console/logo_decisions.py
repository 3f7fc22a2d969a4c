"""Owns what operators do about the logo of software: have it fetched, look, show it, hide it."""

from collections.abc import Callable

from flask import Response, current_app, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.console.forms import word
from app.console.pages import actor, asks_others, requires
from app.domain import errors, software, software_logos
from app.extensions import db
from app.outbound import logos
from app.outbound.errors import OutboundError
from app.pictures import picture


@requires("approver")
@asks_others
def fetch_logo(software_id: str) -> BaseResponse:
    """Fetch the logo once and keep it for looking at; no transaction is open meanwhile."""
    uri = software_logos.address_of(software.get(software_id))
    if uri is None:
        return back(software_id, "It names no logo.", "error")
    db.session.rollback()

    try:
        content = logos.fetch(current_app.extensions["gatewright.outbound"], uri)
    except OutboundError as error:
        return back(software_id, f"There is no logo to be had. {logos.explain(error)}", "error")

    try:
        software_logos.keep(software_id, uri, content, by=actor())
    except errors.InvalidRequest as refusal:
        return back(software_id, str(refusal.description), "error")
    db.session.commit()
    return back(software_id, "Fetched. Look at it; people see it only after you say so.")


@requires("approver")
def show_logo(software_id: str) -> BaseResponse:
    """Let people see the logo that the operator has looked at."""
    return decide(
        software_id,
        software_logos.show,
        "People see it where the app asks them, while it is approved.",
    )


@requires("approver")
def hide_logo(software_id: str) -> BaseResponse:
    """Let people see the logo no more."""
    return decide(software_id, software_logos.hide, "People see it no more.")


def decide(software_id: str, verb: Callable[..., None], said: str) -> BaseResponse:
    """Carry out what an operator decides about exactly the logo on the page."""
    try:
        verb(software_id, word("digest"), by=actor())
    except errors.Conflict as refusal:
        return back(software_id, str(refusal.description), "error")

    db.session.commit()
    return back(software_id, said)


def preview_logo(software_id: str, digest: str) -> Response:
    """Answer a kept logo to operators, exactly the one that the page asks about."""
    found = software_logos.find_kept(software_id, digest)
    if found is None:
        raise errors.NotFound("There is no logo at this address.")
    return picture(found.content, found.media_type)


def back(software_id: str, said: str, kind: str = "success") -> BaseResponse:
    """Go back to the page of the software and say what came of it."""
    db.session.rollback()
    software.get(software_id)
    flash(said, kind)
    return redirect(url_for("registrations.show_registration", software_id=software_id), 303)
