"""Owns the commands about connections: connection create, list, show, delete."""

from pathlib import Path
from typing import Any

import click

from app import logs
from app.cli import connection_runs, shell, upstreams
from app.cli.parameters import FILE, content_of, names, secret_of_stdin
from app.config import current_key
from app.domain import connection_drafts, connection_grants, connections, private_keys, scopes
from app.domain.connection_drafts import AUTHORIZATION_CODE, Draft
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.extensions import db
from app.views import instant

LONGEST_SECRET = 4096


CREATE: list[click.Parameter] = [
    click.Argument(["name"]),
    click.Option(["--url"], default="", help="Of an MCP server or API that people authorize."),
    click.Option(["--token-endpoint"], default="", help="Where this server gets its tokens."),
    click.Option(["--issuer"], default="", help="Or else whose metadata name that endpoint."),
    click.Option(["--client-id"], default="", help="What this server is called there."),
    click.Option(["--client-secret-stdin"], is_flag=True, help="Read it from standard input."),
    click.Option(
        ["--initial-token-stdin"],
        is_flag=True,
        help="With --url: read what registration there needs from standard input.",
    ),
    click.Option(
        ["--private-key"], type=FILE, help="For private_key_jwt: a file with a JWK, or - for stdin."
    ),
    click.Option(
        ["--auth-method"],
        type=click.Choice(connection_drafts.METHODS[AUTHORIZATION_CODE]),
        default=connection_drafts.AUTH_METHODS[0],
        show_default=True,
        help="How this server proves itself; none only with --url.",
    ),
    click.Option(["--scope"], multiple=True, help="What to ask for; separated by spaces."),
    click.Option(["--resource"], default="", help="What the tokens are for (RFC 8707)."),
    click.Option(
        ["--expiry-buffer-seconds"],
        default=connection_drafts.BUFFER_SECONDS,
        show_default=True,
        help="A token is renewed so long before it expires.",
    ),
    click.Option(["--description"], default="", help="What it is for."),
]
OF_LOGINS = ("token_endpoint", "issuer", "resource", "private_key")
"""What is discovered of a connection that people authorize, or not for it."""


@click.group("connection", cls=shell.Group)
def connection_group() -> None:
    """Logins that this server holds at others'."""


connection_group.add_command(connection_runs.token)
connection_group.add_command(connection_runs.test)


@connection_group.command("create", params=CREATE)
def create(
    client_secret_stdin: bool,
    initial_token_stdin: bool,
    private_key: Path | None,
    scope: tuple[str, ...],
    name: str,
    **about: Any,
) -> None:
    """Hold a login, or with --url look for its server and become a client there.

    For private_key_jwt without a key of its own the key of this server signs.
    """
    check_usage(about | {"private_key": private_key}, client_secret_stdin, initial_token_stdin)
    typed = secret_of_stdin(LONGEST_SECRET) if client_secret_stdin or initial_token_stdin else ""
    draft = Draft(
        kind=AUTHORIZATION_CODE if about["url"] else connection_drafts.CLIENT_CREDENTIALS,
        client_secret=typed if client_secret_stdin else "",
        private_key="" if private_key is None else read_key(private_key),
        scope=scopes.join(names(scope)),
        **about,
    )
    if draft.url:
        create_upstream(name, draft, typed if initial_token_stdin else "")
    else:
        create_login(name, draft)


def check_usage(
    about: dict[str, Any], client_secret_stdin: bool, initial_token_stdin: bool
) -> None:
    """Refuse options that exclude each other."""
    for member in OF_LOGINS:
        if about["url"] and about[member]:
            option = member.replace("_", "-")
            raise click.UsageError(f"--{option} is for a login of this server, without --url.")
    if initial_token_stdin and not about["url"]:
        raise click.UsageError("--initial-token-stdin needs --url.")
    if initial_token_stdin and (about["client_id"] or client_secret_stdin):
        raise click.UsageError("--initial-token-stdin is for registration, without a client_id.")


def create_login(name: str, draft: Draft) -> None:
    """Hold a login of this server itself."""
    with shell.application():
        row = connections.create(name, draft, current_key("connections"), by=shell.actor())
        answer = facts(row)
        db.session.commit()
    shell.show(answer)


def create_upstream(name: str, draft: Draft, initial_access_token: str) -> None:
    """Hold what people can authorize, once its server was found and this one is a client there."""
    with shell.application():
        logs.hush()
        row, found = upstreams.make(name, draft, initial_access_token)
        steps = {"discovery": [upstreams.step_line(step) for step in found.steps]}
        answer = facts(row) | steps | upstreams.places(row)
        db.session.commit()
    shell.show(answer, "\n".join(upstreams.made_lines(answer)))


def read_key(file: Path) -> str:
    """Return the text in a file, or in standard input for a dash; not yet read as a key."""
    return content_of(file, private_keys.LONGEST).decode(errors="replace")


@connection_group.command("list")
def list_all() -> None:
    """List the connections, those of the environment as the server found them when it started."""
    with shell.application():
        rows = [facts(row) for row in connections.find_all()]
    shell.show_rows(
        rows, ("name", "source", "client_id", "description", "last_used", "token_expires")
    )


@connection_group.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show a connection; its secret is shown to nobody."""
    with shell.application():
        answer = facts(connections.get(name))
    shell.show(answer)


@connection_group.command("delete")
@click.argument("name")
def delete(name: str) -> None:
    """Forget a login and its secret; at the other server it stays.

    What people authorized is revoked there, and a client that was registered there is deleted.
    """
    with shell.application():
        logs.hush()
        row = connections.get(name)
        answer = facts(row)
        remains = connections.remove(row, by=shell.actor())
        db.session.commit()
        if remains.connection.kind == AUTHORIZATION_CODE:
            upstreams.clear(remains)
    shell.show(answer)


def facts(row: Connection) -> dict[str, Any]:
    """Return what is told of a connection."""
    last_used_at, token_expires_at = uses(row)
    return {
        "name": row.name,
        "kind": row.kind,
        "source": row.source,
        "description": row.description,
        "url": row.url,
        "token_endpoint": row.token_endpoint,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "registered_how": row.registered_how,
        "auth_method": row.auth_method,
        "has_private_key": row.private_key_sealed is not None,
        "scope": row.scope,
        "resource": row.resource,
        "expiry_buffer_seconds": row.expiry_buffer_seconds,
        "revision": row.revision,
        "created": instant(row.created_at),
        "created_by": row.created_by,
        "updated": instant(row.updated_at),
        "last_used": instant(last_used_at),
        "token_expires": instant(token_expires_at),
    }


def uses(row: Connection) -> tuple[int | None, int | None]:
    """Return when the token of this server was last used, and when it ends."""
    if row.kind != AUTHORIZATION_CODE:
        return row.last_used_at, row.token_expires_at
    grant = connection_grants.find(row.id, SERVICE)
    return (grant.last_used_at, grant.expires_at) if grant else (None, None)
