"""Registration gate: how it is set up, whether it can be asked, and what it said lately."""

from flask import Response, current_app, url_for

from app import health
from app.config import current_settings
from app.console import trials
from app.console.audit_facts import row_of
from app.console.pages import asks_others, console_blueprint, render_page, requires
from app.domain import gate_answers
from app.domain.audit import AuditEvent
from app.extensions import db
from app.health import Finding

bp = console_blueprint("gate", __name__, "/gate")
LATEST = 25


@bp.get("/")
def show_gate() -> Response:
    """Show how the gate is set up and its last answers."""
    return show([])


@bp.post("/")
@requires("admin")
@asks_others
def check_gate() -> Response:
    """Reach for the gate and, if it wants tokens, get one; nothing is asked of it."""
    db.session.rollback()
    return show(list(health.examine_gate(current_app)))


def show(findings: list[Finding]) -> Response:
    """Show the page."""
    settings = current_settings()
    return render_page(
        "gate.html",
        is_on=trials.current_gate() is not None,
        facts=[
            ("At", settings.registration_gate_url),
            ("This server proves itself by", settings.registration_gate_auth_type),
            ("One attempt takes", f"{settings.registration_gate_timeout_seconds} s at most"),
            ("Tried again", f"{settings.registration_gate_max_retries} times"),
        ],
        findings=findings,
        rows=[described(event) for event in gate_answers.latest(LATEST)],
        simulator_url=url_for("simulator.show_simulator"),
    )


def described(event: AuditEvent) -> dict[str, object]:
    """Return what the page shows of one answer."""
    answer = gate_answers.from_json(event.detail["gate"])
    said = {"allow": "admit", "hold": "hold", "deny": "refuse"}[answer.decision]
    return row_of(event) | {"said": said, "sentence": answer.sentence}
