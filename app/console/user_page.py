"""Owns the page of one account: what it may do, how it stands, and where it is signed in."""

from flask import Response, url_for

from app import devices
from app.config import current_settings
from app.console.pages import operator, render_page, requires
from app.domain import contact_details, second_factors, sessions, user_lists, users
from app.domain.users import User

ROLES = {
    "member": "Uses apps; sees nothing of the console.",
    "viewer": "Looks at the console without changing anything.",
    "approver": "Decides about software, stops and starts clients.",
    "admin": "May do everything.",
}


@requires("admin")
def show_user(user_id: str) -> Response:
    """Show one account."""
    user = users.get(user_id)
    found = sessions.find_of_user(user.id, current_settings().session_idle_seconds)
    return render_page(
        "user.html",
        row=user,
        state=user_lists.states_of([user])[0],
        own=user.id == operator().id,
        roles=role_options(),
        meaning=ROLES[user.role],
        contact=contact_details.find(user.id),
        has_factor=second_factors.has(user.id),
        sessions=[(each, devices.describe(each.user_agent)) for each in found],
    )


def role_options() -> list[tuple[str, str]]:
    """Return the roles with what each may do, for a choice."""
    return [(role, f"{role.capitalize()}: {meaning}") for role, meaning in ROLES.items()]


def address_of(user: User) -> str:
    """Return the address of an account's page."""
    return url_for("users.show_user", user_id=user.id)
