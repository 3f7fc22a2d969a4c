"""Users: the list, and where each page and form about an account is."""

from flask import Response, url_for

from app.console import user_actions, user_page
from app.console.pages import asked, console_blueprint, render_page, requires
from app.console.windows import chips, window
from app.domain import user_lists, users
from app.domain.user_lists import Filters

bp = console_blueprint("users", __name__, "/users")
STATES = {"enabled": "May sign in", "waiting": "No password yet", "disabled": "Disabled"}


@bp.get("/")
@requires("admin")
def list_users() -> Response:
    """Show accounts, found and filtered by the address."""
    wanted = filters()
    shown = window(
        lambda older, newer, size: user_lists.find_page(
            wanted,
            after=(older,) if older else None,
            before=(newer,) if newer else None,
            size=size,
        ),
        lambda user: user.email,
    )
    return render_page(
        "users.html",
        "_user_list.html",
        rows=list(zip(shown.rows, user_lists.states_of(shown.rows), strict=True)),
        shown=shown,
        filters=wanted,
        chips=chips(named(wanted)),
        roles=[("", "Any role"), *((role, role.capitalize()) for role in users.ROLES)],
        states=[("", "Any state"), *STATES.items()],
        clear_url=url_for("users.list_users"),
    )


def filters() -> Filters:
    """Return what the address asks for; unknown values do not narrow."""
    role, state = asked("role"), asked("state")
    return Filters(
        search=asked("q"),
        role=role if role in users.ROLES else "",
        state=state if state in STATES else "",
    )


def named(wanted: Filters) -> list[tuple[str, str, str]]:
    """Return name, label and value in words of each filter."""
    return [
        ("q", "Search", wanted.search),
        ("role", "Role", wanted.role.capitalize()),
        ("state", "State", STATES.get(wanted.state, "")),
    ]


bp.get("/new")(user_actions.new_user)
bp.post("/new")(user_actions.create_user)
bp.get("/<user_id>")(user_page.show_user)
bp.post("/<user_id>/role")(user_actions.change_role)
bp.post("/<user_id>/contact")(user_actions.change_contact)
bp.post("/<user_id>/disable")(user_actions.disable_user)
bp.post("/<user_id>/enable")(user_actions.enable_user)
bp.post("/<user_id>/password-link")(user_actions.make_link)
bp.post("/<user_id>/reset-factor")(user_actions.reset_factor)
bp.post("/<user_id>/end-session")(user_actions.end_session)
bp.post("/<user_id>/end-sessions")(user_actions.end_sessions)
