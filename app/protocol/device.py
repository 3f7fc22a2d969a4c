"""Owns the pages where a person lets a device in: the code, the question, the answer (RFC 8628)."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response as BaseResponse

from app import browser_session, clock
from app.config import current_key, current_settings
from app.domain import consents, device_codes, errors, sign_in, user_codes
from app.domain.client_records import ClientRecord, Standing
from app.domain.users import User
from app.extensions import db
from app.protocol import caller, consent, people, refusals
from app.protocol.authorization_request import LocalRefusal
from app.protocol.ceilings import narrowed_target, within
from app.views import page

bp = Blueprint("device", __name__, url_prefix="/device")
UNKNOWN = "No device waits with this code. Look at the device again; its code may have run out."


@bp.get("")
def show_form() -> BaseResponse:
    """Ask for the code; one in the address is filled in and nothing more (section 3.3.1)."""
    user_code = user_codes.read(request.args.get("user_code", ""))
    return ask_to_sign_in(user_code) if people.signed_in() is None else form(user_code)


@bp.post("")
def check_code() -> BaseResponse | str:
    """Look for the device of a code that was typed, and ask whether to let it in."""
    typed = request.form.get("user_code", "")
    user = people.signed_in()
    if user is None:
        return ask_to_sign_in(user_codes.read(typed))

    try:
        row = find(user, typed)
    except errors.TooManyRequests as refusal:
        refusals.record(refusal)
        response = form(typed[:64], refusal.status, throttled=refusal.description)
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    except errors.InvalidRequest as refusal:
        refusals.record(refusal)
        return form(typed[:64], refusal.status, error=refusal.description)
    return ask(row, user, user_codes.read(typed))


def find(user: User, typed: str) -> Row[Any]:
    """Return the request that a code stands for; raises InvalidRequest, and who guesses waits.

    Guesses are counted in the database, so that no restart and no loss of Redis allows more.
    """
    keys = sign_in.device_keys(user.id, caller.address())
    wait = sign_in.seconds_to_wait(keys.values())
    if wait:
        raise errors.TooManyRequests(
            "Too many wrong codes; wait before trying again.", retry_after=wait
        )
    row = device_codes.find_typed(current_key("user codes"), typed)
    if row is None or not device_codes.is_open(row):
        sign_in.note_failure(keys)
        raise errors.InvalidRequest(UNKNOWN)
    return row


def ask(row: Row[Any], user: User, user_code: str) -> str:
    """Show who asks for what from where; showing changes nothing."""
    client = checked_client(row, user)
    scopes = shown_scopes(row, client)
    ticket = consents.new_ticket(
        current_key("consent tickets"), consent.session_id(), bound_request(row, scopes)
    )
    return render_template(
        "protocol/device_consent.html",
        action=url_for("device.decide"),
        ticket=ticket,
        user_code=user_code,
        client=people.describe(client, None),
        account=user.email,
        return_url=url_for("device.show_form", user_code=user_code),
        address=row.address,
        minutes=(clock.epoch() - row.created_at) // 60,
        scopes=[consent.describe_scope(name) for name in scopes],
        resources=[consent.describe_resource(uri) for uri in row.resources],
        lifetime=consent.lifetime(client, scopes),
        pages=people.pages_of(client),
    )


@bp.post("/decision")
def decide() -> BaseResponse | str:
    """Take the person's answer to exactly the question that was shown."""
    user_code = user_codes.read(request.form.get("user_code", ""))
    user = people.signed_in()
    if user is None:
        return ask_to_sign_in(user_code)
    decision = request.form.get("decision")
    if decision not in ("allow", "deny"):
        raise errors.InvalidRequest("The decision must be allow or deny.")

    row, scopes = proven(user_code)
    client = checked_client(row, user)
    if decision == "allow":
        approve(row, scopes, user)
    else:
        deny(row, user)
    db.session.commit()
    described = people.describe(client, None)
    return render_template(
        "protocol/device_answered.html", allowed=decision == "allow", client=described
    )


def proven(user_code: str) -> tuple[Row[Any], tuple[str, ...]]:
    """Spend the ticket of the page; return the request and the scopes that it was made for.

    No code can be guessed here: without a ticket, which this server alone can make, a code that
    is known and one that is not are refused alike.
    """
    row = device_codes.find_typed(current_key("user codes"), user_code)
    client = None if row is None else caller.look_up(row.client_id)
    if row is None or client is None:
        raise errors.AccessDenied(consents.STALE)
    try:
        scopes = shown_scopes(row, client)
    except (errors.InvalidScope, errors.InvalidTarget):
        raise errors.AccessDenied(consents.STALE) from None
    consents.spend_ticket(
        current_key("consent tickets"),
        request.form.get("ticket", ""),
        consent.session_id(),
        bound_request(row, scopes),
    )
    return row, scopes


def approve(row: Row[Any], scopes: Sequence[str], user: User) -> None:
    """Let the device in, for the person who says so and for the scopes that they were shown."""
    by = people.user_actor(user)
    device_codes.approve(
        row,
        user_id=user.id,
        session_id=consent.session_id(),
        auth_time=browser_session.current().auth_time,
        scopes=scopes,
        by=by,
    )
    consents.give(
        user_id=user.id,
        client_id=row.client_id,
        session_id=consent.session_id(),
        redirect_uri="",
        scopes=scopes,
        resources=row.resources,
        by=by,
    )


def deny(row: Row[Any], user: User) -> None:
    """Turn the device away, because a person says so."""
    by = people.user_actor(user)
    device_codes.deny(row, by=by)
    consents.deny(user_id=user.id, client_id=row.client_id, by=by)


def checked_client(row: Row[Any], user: User) -> ClientRecord:
    """Return the client of a request; raises LocalRefusal unless this person may use it now."""
    client = caller.look_up(row.client_id)
    if client is None or client.standing(clock.epoch()) is not Standing.ACTIVE:
        stopped = errors.UnauthorizedClient("This app is not active on this server.")
        raise LocalRefusal(stopped, client)
    if not people.is_welcome(user.id, client):
        raise LocalRefusal(errors.AccessDenied(people.UNWELCOME), client)
    return client


def shown_scopes(row: Row[Any], client: ClientRecord) -> tuple[str, ...]:
    """Return the scopes of a request that policy allows now; raises when nothing is left."""
    return within(client, narrowed_target(client, (), row.resources), row.scopes)


def bound_request(row: Row[Any], scopes: Sequence[str]) -> str:
    """Return what a ticket of these pages is bound to: the request and what it was narrowed to."""
    return "\0".join(("device", row.code_digest, *scopes))


def ask_to_sign_in(user_code: str) -> BaseResponse:
    """Send a person to sign in and back to the form."""
    after = url_for("device.show_form", user_code=user_code or None)
    return redirect(url_for("login.sign_in", next=after), 303)


def form(user_code: str, status: int = 200, **words: str) -> Response:
    """Show the form for the code."""
    return page(
        "protocol/device.html",
        status=status,
        action=url_for("device.check_code"),
        user_code=user_code,
        error=words.get("error"),
        throttled=words.get("throttled"),
    )


@bp.get("/qr.svg")
def draw_qr() -> Response:
    """Draw the address with a code in it, for a device that shows pictures and draws none.

    Nothing is looked up: the picture says no more than who asks for it knows.
    """
    user_code = user_codes.read(request.args.get("user_code", ""))
    if not user_code:
        raise errors.NotFound("There is no picture without a user code.")
    picture = BytesIO()
    drawn = segno.make(complete_uri(user_code), error="m")
    drawn.save(picture, kind="svg", scale=6, light="white", title="Sign in")
    return Response(picture.getvalue(), mimetype="image/svg+xml")


def complete_uri(user_code: str) -> str:
    """Return the address of the form with a code in it."""
    return f"{current_settings().issuer}/device?user_code={user_code}"
