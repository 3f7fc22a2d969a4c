"""Owns the form of a new initial access token, and showing the token once."""

from typing import Any

from flask import Response, request

from app import clock
from app.config import current_settings
from app.console import snippets
from app.console.forms import Form, refused
from app.console.pages import actor, render_page, requires_fresh
from app.console.rule_fields import read_lines, read_then, typed_lines
from app.domain import grants, registration_tokens, rules
from app.domain.obligations import NO_TERMS, Obligations, Terms
from app.domain.registration_tokens import NAME_LENGTH, TEXT_LENGTH
from app.extensions import db

MOST_USES = 1_000_000
LIFETIMES = {
    "1": "1 day",
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "1 year",
    "never": "Never expires",
}
EMPTY = {
    "name": "",
    "purpose": "",
    "owner": "",
    "uses": "1",
    "lifetime": "30",
    "networks": "",
    "verdict": "rules",
    "scopes": "",
    "resources": "",
    "access_token_seconds": "",
    "approve_days": "",
}
VERDICTS = {
    "rules": ("Rules decide", "And a person about what no rule decides, as without a token."),
    "admit": (
        "Admit what no rule decides",
        "Whoever holds the token approves software with it, without a person looking.",
    ),
    "hold": (
        "Hold everything new for a person",
        "Also what a rule admits. Software that is approved already stays approved.",
    ),
}


@requires_fresh("admin")
def new_token() -> Response:
    """Show the form."""
    return show_form(Form())


@requires_fresh("admin", keeps=True)
def create_token() -> Response:
    """Make a token and show it, on this page and never again."""
    form = Form()
    typed = read(form)
    if form.faults:
        return show_form(form)

    row, value = registration_tokens.create(**typed, by=actor())
    db.session.commit()
    issuer = current_settings().issuer
    return render_page(
        "initial_access_token_created.html",
        row=row,
        value=value,
        also=snippets.saved(
            {"OAUTH_ISSUER": issuer, "INITIAL_ACCESS_TOKEN": value},
            {"issuer": issuer, "initial_access_token": value},
        ),
        command=snippets.registration(issuer, value),
    )


def read(form: Form) -> dict[str, Any]:
    """Return what was typed, as a token is made of it."""
    return {
        "name": form.text("name", "The name", NAME_LENGTH),
        "purpose": form.text("purpose", "The purpose", TEXT_LENGTH, required=False),
        "owner": form.text("owner", "The owner", TEXT_LENGTH, required=False),
        "uses": form.number("uses", "The number of uses", 1, MOST_USES),
        "expires_at": read_end(form),
        "networks": read_lines(form, "networks", "network", typed_lines("networks")),
        "terms": read_terms(form),
    }


def read_end(form: Form) -> int | None:
    """Return when the token expires."""
    lifetime = form.choice("lifetime", "The lifetime", LIFETIMES)
    return None if lifetime == "never" else clock.epoch() + int(lifetime) * 86400


def read_terms(form: Form) -> Terms:
    """Return what the token says about what registers with it; an empty field does not bound."""
    verdict: Any = form.choice("verdict", "Who decides", VERDICTS)
    bounds = read_then(form)
    return NO_TERMS if form.faults else Terms(verdict, Obligations(**bounds))


def show_form(form: Form) -> Response:
    """Show the form with what was typed."""
    page = render_page(
        "initial_access_token_new.html",
        faults=form.faults,
        values={name: request.form.get(name, value) for name, value in EMPTY.items()},
        lifetimes=list(LIFETIMES.items()),
        verdicts=[(name, label, hint) for name, (label, hint) in VERDICTS.items()],
        most_uses=MOST_USES,
        seconds=(grants.SHORTEST_SECONDS, grants.LONGEST_SECONDS),
        most_days=rules.LONGEST_APPROVAL_DAYS,
    )
    return refused(page, form)
