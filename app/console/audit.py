"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("audit", __name__, "/audit")


@bp.get("/")
def list_events() -> str:
    """Show the page."""
    return ""
