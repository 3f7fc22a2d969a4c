"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("resources", __name__, "/resources")


@bp.get("/")
def list_resources() -> str:
    """Show the page."""
    return ""
