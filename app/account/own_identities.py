"""The servers at which a person signs in besides here, and unlinking them."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import provider_uses
from app.account.enrolment import sign_in_again
from app.account.pages import account_blueprint, actor, person, render_page
from app.domain import errors, federated_identities, federation
from app.extensions import db

bp = account_blueprint("own_identities", __name__)


def admit_changing() -> Response | None:
    """Let change something who has proved everything a few minutes ago (C-12)."""
    page = "own_identities.list_identities"
    return sign_in_again(person(), page) if request.method == "POST" else None


bp.before_request(admit_changing)


@bp.get("/identities")
def list_identities() -> str:
    """Show what is linked, and what else could be."""
    rows = federated_identities.of_user(person().id)
    offered = provider_uses.offered()
    linked = {row.issuer for row in rows}
    return render_page(
        "own_identities.html",
        rows=rows,
        titles={each.draft.issuer: each.title for each in offered},
        others=[each for each in offered if each.draft.issuer not in linked],
        has_password=person().password_hash is not None,
    )


@bp.post("/identities/unlink")
def unlink_identity() -> Response:
    """Unlink one, unless it is the last way to sign in."""
    row_id = request.form.get("identity_id", "")[:64].replace("\0", "")

    try:
        federation.unlink(person(), row_id, by=actor())
    except errors.Conflict as refusal:
        db.session.rollback()
        return told(str(refusal.description), "error")
    db.session.commit()
    return told("It is unlinked; nobody signs in to your account with it any more.")


def told(sentence: str, category: str = "success") -> Response:
    """Go back to the list and say what happened."""
    flash(sentence, category)
    return redirect(url_for("own_identities.list_identities"), 303)
