"""Console page."""

from app.console.pages import console_blueprint

bp = console_blueprint("registrations", __name__, "/registrations")


@bp.get("/")
def list_registrations() -> str:
    """Show the page."""
    return ""


@bp.get("/<software_id>")
def show_registration(software_id: str) -> str:
    """Show one."""
    return software_id
