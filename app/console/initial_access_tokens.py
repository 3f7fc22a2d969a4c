"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("initial_access_tokens", __name__, "/initial-access-tokens")


@bp.get("/")
def list_tokens() -> str:
    """Show the page."""
    return ""
