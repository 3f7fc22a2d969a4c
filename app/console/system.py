"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("system", __name__, "/system")


@bp.get("/")
def show_system() -> str:
    """Show the page."""
    return ""
