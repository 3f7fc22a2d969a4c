"""Owns what administrators do to accounts: make, disable and enable them, roles, links, sessions.

Each needs a sign-in of the last minutes.
"""

from flask import Response, flash, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.config import current_settings
from app.console.forms import Form, refused
from app.console.pages import actor, asks_others, render_page, requires_fresh
from app.console.user_page import address_of, role_options
from app.domain import contact_details, errors, new_passwords, second_factors, sessions, users
from app.domain.users import User
from app.extensions import db
from app.upstream_steps import clear

PAGE = "users.show_user"


@requires_fresh("admin")
def new_user() -> Response:
    """Show the form of a new account."""
    return show_form(Form())


@requires_fresh("admin")
def create_user() -> Response:
    """Make an account and show the link with which its person sets a password."""
    form = Form()
    role = form.choice("role", "The role", users.ROLES)
    email = form.text("email", "The e-mail address", 255)
    user = form.tried("email", lambda: users.invite(email, role, by=actor())) if email else None
    if user is None or form.faults:
        return show_form(form)

    token = new_passwords.issue(user, by=actor())
    db.session.commit()
    return show_link(user, token)


@requires_fresh("admin", back=PAGE)
def make_link(user_id: str) -> BaseResponse:
    """Show a link with which somebody sets a new password, on this page and never again."""
    user = users.get(user_id)

    token = new_passwords.issue(user, by=actor())
    db.session.commit()
    return show_link(user, token)


@requires_fresh("admin", back=PAGE)
def change_role(user_id: str) -> BaseResponse:
    """Give somebody another role, and end their sessions."""
    user = users.get(user_id)
    form = Form()
    role = form.choice("role", "The role", users.ROLES)
    if form.faults:
        return back(user, form.faults["role"], "error")

    users.change_role(user, role, by=actor())
    db.session.commit()
    return back(user, "The role is changed; their sessions have ended.")


@requires_fresh("admin", back=PAGE)
def change_contact(user_id: str) -> BaseResponse:
    """Change how somebody can be reached, and say whether their number is verified."""
    user = users.get(user_id)
    before, verified = contact_details.find(user.id), "verified" in request.form
    number, address = request.form.get("phone_number", ""), request.form.get("address", "")
    try:
        wanted = contact_details.read(before, number, address, verified=verified)
    except errors.Refusal as refusal:
        return back(user, str(refusal.description), "error")

    contact_details.change(user.id, wanted, by=actor())
    db.session.commit()
    return back(user, "The contact details are changed.")


@requires_fresh("admin", back=PAGE)
@asks_others
def disable_user(user_id: str) -> BaseResponse:
    """Lock an account, and end what it holds, here and then at other servers."""
    user, who = users.get(user_id), actor()

    left = users.disable(user, by=who)
    db.session.commit()
    lasting = {said for each in left for said in clear(each, by=who, with_client=False)}
    told = "The account is disabled; its sessions, grants and consents have ended."
    return back(user, " ".join((told, *sorted(lasting))), "warning" if lasting else "success")


@requires_fresh("admin", back=PAGE)
def enable_user(user_id: str) -> BaseResponse:
    """Let somebody sign in again."""
    user = users.get(user_id)

    users.enable(user, by=actor())
    db.session.commit()
    return back(user, "The account may sign in again; what had ended stays ended.")


@requires_fresh("admin", back=PAGE)
def reset_factor(user_id: str) -> BaseResponse:
    """Remove the second factor of somebody who lost it."""
    user = users.get(user_id)

    second_factors.reset(user, by=actor())
    db.session.commit()
    return back(user, "Their second factor is removed; their sessions have ended.")


@requires_fresh("admin", back=PAGE)
def end_session(user_id: str) -> BaseResponse:
    """End one session of somebody."""
    user = users.get(user_id)
    session_id = request.form.get("session_id", "")[:64].replace("\0", "")

    ended = sessions.end_one(user.id, session_id, by=actor())
    db.session.commit()
    return back(user, "The session has ended." if ended else "That session had ended before.")


@requires_fresh("admin", back=PAGE)
def end_sessions(user_id: str) -> BaseResponse:
    """End all sessions of somebody."""
    user = users.get(user_id)

    sessions.end_others(user.id, None, by=actor())
    db.session.commit()
    return back(user, "All their sessions have ended.")


def show_form(form: Form) -> Response:
    """Show the form of a new account with what was typed."""
    page = render_page(
        "user_new.html", faults=form.faults, typed=request.form, roles=role_options()
    )
    return refused(page, form)


def show_link(user: User, token: str) -> Response:
    """Show the link."""
    link = new_passwords.link_of(current_settings().issuer, token)
    minutes = new_passwords.LIFETIME_SECONDS // 60
    return render_page(
        "user_link.html", row=user, link=link, minutes=minutes, user_url=address_of(user)
    )


def back(user: User, message: str, category: str = "success") -> BaseResponse:
    """Go back to the account and say what happened."""
    flash(message, category)
    return redirect(address_of(user), 303)
