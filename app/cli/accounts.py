"""Owns the commands that list, disable and enable accounts, change roles and make reset links."""

from collections.abc import Iterator
from typing import Any

import click

from app import upstream_steps
from app.cli import shell
from app.cli.parameters import FILTER, Text
from app.domain import errors, new_passwords, second_factors, user_lists, users
from app.domain.user_lists import BY_EMAIL, STATES, Filters
from app.domain.users import User
from app.extensions import db
from app.views import instant

PAGE = 200
email_argument = click.argument("email", type=Text(255))


@click.command("list", cls=shell.Command)
@click.option("--role", type=click.Choice(users.ROLES), default=None)
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--search", type=FILTER, default="", help="Part of the address, or the whole id.")
def list_users(role: str | None, state: str | None, search: str) -> None:
    """List accounts by e-mail address."""
    with shell.application():
        rows = list(find_all(Filters(search, role or "", state or "")))
    shell.show_rows(rows, ("email", "role", "state", "last_sign_in", "created"))


@click.command("role", cls=shell.Command)
@email_argument
@click.option("--role", type=click.Choice(users.ROLES), required=True, help="What they may do.")
def change_role(email: str, role: str) -> None:
    """Give somebody another role; their sessions end."""
    with shell.application():
        user = named(email)
        users.change_role(user, role, by=shell.actor())
        answer = facts(user)
        db.session.commit()
    shell.show(answer)


@click.command("disable", cls=shell.Command)
@email_argument
def disable(email: str) -> None:
    """Lock an account and end what it holds, here and at other servers."""
    with shell.application():
        user, who = named(email), shell.actor()
        left = users.disable(user, by=who)
        answer = facts(user)
        db.session.commit()
        clear = upstream_steps.clear
        lasting = {said for each in left for said in clear(each, by=who, with_client=False)}
    shell.show(answer | {"lasting": sorted(lasting)})


@click.command("enable", cls=shell.Command)
@email_argument
def enable(email: str) -> None:
    """Let somebody who was disabled sign in again; what had ended stays ended."""
    with shell.application():
        user = named(email)
        users.enable(user, by=shell.actor())
        answer = facts(user)
        db.session.commit()
    shell.show(answer)


@click.command("reset-link", cls=shell.Command)
@email_argument
def reset_link(email: str) -> None:
    """Make a one-time link with which somebody sets a new password; the one before ends."""
    with shell.application() as app:
        token = new_passwords.issue(named(email), by=shell.actor())
        link = new_passwords.link_of(shell.settings_of(app).issuer, token)
        db.session.commit()
    shell.show({"reset_link": link, "expires_in": new_passwords.LIFETIME_SECONDS}, link)


@click.command("reset-factor", cls=shell.Command)
@email_argument
def reset_factor(email: str) -> None:
    """Remove the second factor of somebody who lost it; their sessions end."""
    with shell.application():
        user = named(email)
        second_factors.reset(user, by=shell.actor())
        answer = facts(user)
        db.session.commit()
    shell.show(answer)


def named(email: str) -> User:
    """Return the account with an e-mail address; raises NotFound."""
    user = users.find_by_email(email)
    if user is None:
        raise errors.NotFound("There is no account with this e-mail address.")
    return user


def find_all(filters: Filters) -> Iterator[dict[str, Any]]:
    """Yield what may be shown of the accounts of all pages."""
    key = None
    while page := user_lists.find_page(filters, after=key, size=PAGE):
        yield from map(told, page, user_lists.states_of(page))
        key = BY_EMAIL.key(page[-1])


def facts(user: User) -> dict[str, Any]:
    """Return what may be shown of one account."""
    return told(user, user_lists.states_of([user])[0])


def told(user: User, state: str) -> dict[str, Any]:
    """Return what may be shown of an account that stands so."""
    return {
        "id": user.id,
        "email": user.email,
        "role": user.role,
        "state": state,
        "last_sign_in": instant(user.last_sign_in_at),
        "created": instant(user.created_at),
    }
