"""What apps may be told of a person, and changing how they can be reached."""

from flask import Response as FlaskResponse
from flask import flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from app.account.pages import account_blueprint, actor, person, render_page
from app.domain import contact_details, errors
from app.extensions import db

bp = account_blueprint("own_profile", __name__)


@bp.get("/profile")
def show_profile() -> FlaskResponse:
    """Show the form."""
    known = contact_details.find(person().id)
    return show_form(known.phone_number or "", known.address or "")


@bp.post("/profile")
def change_profile() -> Response:
    """Change telephone number and postal address."""
    number = request.form.get("phone_number", "")
    address = request.form.get("address", "")
    before = contact_details.find(person().id)
    try:
        wanted = contact_details.read(before, number, address, verified=None)
    except errors.Refusal as refusal:
        return show_form(number, address, str(refusal.description))

    contact_details.change(person().id, wanted, by=actor())
    db.session.commit()
    flash("Your profile is changed. Apps that may read it are told when they ask next.")
    return redirect(url_for("own_profile.show_profile"), 303)


def show_form(phone_number: str, address: str, fault: str = "") -> FlaskResponse:
    """Show the form with what is wrong with it."""
    page = render_page(
        "own_profile.html",
        name=person().name,
        email=person().email,
        phone_number=phone_number,
        address=address,
        known=contact_details.find(person().id),
        fault=fault,
    )
    return make_response(page, 422 if fault else 200)
