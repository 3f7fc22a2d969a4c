"""Owns what a test of a connection shows: each request and answer, its token, what went wrong."""

from flask import Response

from app.console import token_facts
from app.console.pages import render_page
from app.outbound import exhibits
from app.outbound.connection_trials import Trial


def show(trial: Trial, secret: str, *, of: str, crumb: tuple[str, str], again: str) -> Response:
    """Show what came of a trial of something, without any credential.

    ``crumb`` is where it was begun, as words and address; ``again`` is where its form goes.
    """
    parts = token_facts.decoded(trial.kept.value) if trial.kept else None
    return render_page(
        "connection_trial.html",
        of=of,
        crumb=crumb,
        again=again,
        trial=trial,
        steps=trial.discovery.steps if trial.discovery else (),
        exhibits=[exhibits.of(exchange, [secret]) for exchange in trial.exchanges],
        header=token_facts.written(parts[0]) if parts else "",
        claims=token_facts.explained(parts[1]) if parts else (),
    )
