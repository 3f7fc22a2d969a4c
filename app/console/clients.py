"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("clients_console", __name__, "/clients")


@bp.get("/")
def list_clients() -> str:
    """Show the page."""
    return ""
