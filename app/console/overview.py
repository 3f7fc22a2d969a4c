"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("overview", __name__, "")


@bp.get("/")
def show_overview() -> str:
    """Show the page."""
    return ""
