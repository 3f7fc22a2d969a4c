"""Owns the commands about accounts: user create, rename, contact and setup-link."""

import sys

import click

from app import serve
from app.cli import accounts, shell
from app.cli.parameters import Text, secret_of_stdin
from app.domain import contact_details, profiles, setup_links, users
from app.extensions import db

LONGEST_INPUT = 4096
NAME = Text(200)


@click.group("user", cls=shell.Group)
def user_group() -> None:
    """Accounts of people."""


for command in (
    accounts.list_users,
    accounts.change_role,
    accounts.disable,
    accounts.enable,
    accounts.reset_link,
    accounts.reset_factor,
):
    user_group.add_command(command)


@user_group.command("create")
@accounts.email_argument
@click.option("--role", type=click.Choice(users.ROLES), required=True, help="What they may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, role: str, password_stdin: bool) -> None:
    """Create an account; without --password-stdin a terminal asks for the password."""
    password = read_password(password_stdin)
    with shell.application() as app:
        hasher = app.extensions["gatewright.passwords"]

        user = users.create(email, role, password, hasher, by=shell.actor())
        answer = {"id": user.id, "email": user.email, "role": user.role}
        db.session.commit()
    shell.show(answer, f"Created {user_line(answer)}.")


@user_group.command("rename")
@accounts.email_argument
@click.argument("name", type=NAME)
def rename(email: str, name: str) -> None:
    """Change what people call somebody; apps that may read the profile are told."""
    with shell.application():
        user = accounts.named(email)

        profiles.rename(user, name, by=shell.actor())
        answer = {"id": user.id, "email": user.email, "name": user.name}
        db.session.commit()
    shell.show(answer, f"{answer['email']} is called {answer['name']} from now on.")


@user_group.command("contact")
@accounts.email_argument
@click.option("--phone-number", type=Text(40, 0), help="With the code of the country.")
@click.option("--verified/--not-verified", default=None, help="Whether the number is theirs.")
@click.option("--address-line", "lines", type=Text(100, 0), multiple=True, help="Repeatable.")
def contact(
    email: str, phone_number: str | None, verified: bool | None, lines: tuple[str, ...]
) -> None:
    """Change how somebody can be reached; what is left out stays, what is empty is forgotten."""
    if verified and not phone_number:
        raise click.UsageError("Name the number that is verified: people can change theirs.")
    with shell.application():
        user = accounts.named(email)
        before = contact_details.find(user.id)
        number = before.phone_number if phone_number is None else phone_number
        address = "\n".join(lines) if lines else before.address
        wanted = contact_details.read(before, number or "", address or "", verified=verified)

        contact_details.change(user.id, wanted, by=shell.actor())
        answer = {"id": user.id, "email": user.email, **wanted._asdict()}
        db.session.commit()
    shell.show(answer)


def user_line(user: dict[str, str]) -> str:
    """Name a user on one line."""
    return f"{user['email']} ({user['role']})"


def read_password(from_stdin: bool) -> str:
    """Return the password of the new account, never from the arguments, which others can see."""
    if from_stdin:
        return secret_of_stdin(LONGEST_INPUT)
    if not sys.stdin.isatty():
        raise click.UsageError("Give the password on standard input with --password-stdin.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


@user_group.command("setup-link")
def setup_link() -> None:
    """Make a new one-time link to create the first administrator; the one before ends."""
    with shell.application() as app:
        link = serve.issue_setup_link(shell.settings_of(app), by=shell.actor())
        db.session.commit()
    shell.show({"setup_link": link, "expires_in": setup_links.LIFETIME_SECONDS}, link)
