"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("scopes", __name__, "/scopes")


@bp.get("/")
def list_scopes() -> str:
    """Show the page."""
    return ""
