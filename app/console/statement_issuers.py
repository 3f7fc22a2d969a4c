"""Statement issuers: whose software statements count, and about which software."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.config import current_settings
from app.console.forms import Form, refused
from app.console.pages import actor, console_blueprint, render_page, requires, requires_fresh
from app.domain import foreign_jwts, statement_issuers
from app.extensions import db

bp = console_blueprint("statement_issuers", __name__, "/statement-issuers")
USUAL = ("ES256",)


@bp.get("/")
def list_issuers() -> Response:
    """Show all trusted issuers."""
    return render_page(
        "statement_issuers.html",
        rows=statement_issuers.find_all(),
        own_issuer=current_settings().issuer,
    )


@bp.get("/new")
@requires_fresh("admin")
def new_issuer() -> BaseResponse:
    """Show an empty form."""
    return show_form(Form(), {"algorithms": USUAL})


@bp.post("/new")
@requires_fresh("admin", keeps=True)
def create_issuer() -> BaseResponse:
    """Trust an issuer."""
    form = Form()
    ours, wanted = current_settings().issuer, read(form)
    with form.blaming("issuer"):
        statement_issuers.check_issuer(wanted["issuer"], ours)
        if not form.faults:
            statement_issuers.create(**wanted, by=actor(), ours=ours)
    if form.faults:
        return show_form(form, request.form.to_dict() | {"algorithms": wanted["algorithms"]})

    db.session.commit()
    return back("The issuer is trusted; its statements count from now on.")


@bp.post("/remove/<issuer_id>")
@requires("admin")
def remove_issuer(issuer_id: str) -> BaseResponse:
    """Trust an issuer no longer."""
    statement_issuers.remove(issuer_id.replace("\0", ""), by=actor())
    db.session.commit()
    return back("The issuer is removed; clients that came with its statements go on.")


def read(form: Form) -> dict[str, Any]:
    """Return what was typed about an issuer; each fault is that of its field."""
    text, uri = (request.form.get(name, "").strip() for name in ("jwks", "jwks_uri"))
    jwks: object = None
    if text:
        content = text.encode("utf-8", "surrogatepass")
        jwks = form.tried("jwks", lambda: statement_issuers.pasted_keys(content))
    wanted: dict[str, Any] = {
        "issuer": request.form.get("issuer", "").strip(),
        "jwks": jwks,
        "jwks_uri": uri,
        "algorithms": form.several("algorithms", foreign_jwts.ALGORITHMS),
        "software_ids": request.form.get("software_ids", "").splitlines(),
        "note": form.text("note", "The note", statement_issuers.NOTE_LENGTH, required=False),
    }
    if "jwks" not in form.faults:
        with form.blaming("jwks" if text else "jwks_uri"):
            statement_issuers.read_keys(jwks, uri)
    with form.blaming("algorithms"):
        statement_issuers.read_algorithms(wanted["algorithms"])
    with form.blaming("software_ids"):
        statement_issuers.read_software_ids(wanted["software_ids"])
    return wanted


def show_form(form: Form, values: dict[str, Any]) -> Response:
    """Show the form with what was typed."""
    page = render_page(
        "statement_issuer_new.html",
        faults=form.faults,
        values=values,
        algorithms=[(name, name, None) for name in foreign_jwts.ALGORITHMS],
    )
    return refused(page, form)


def back(message: str) -> BaseResponse:
    """Go back to the list and say what happened."""
    flash(message, "success")
    return redirect(url_for("statement_issuers.list_issuers"), 303)
