"""Owns `gatewright …`: the tree of commands; each is thin, calls verbs and commits once."""

import click

from app import exits
from app.cli import (
    audit,
    clients,
    connections,
    database,
    initial_tokens,
    keys,
    policies,
    resources,
    scopes,
    server,
    settings,
    shell,
    statements,
    sweep,
    users,
)

EPILOG = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in exits.MEANINGS.items())


@click.group(
    cls=shell.Group, epilog=EPILOG + ".", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="gatewright")
def main() -> None:
    """Gatewright, an OAuth 2.0 authorization server whose specialty is admission.

    Settings are environment variables; see gatewright config show. Every command takes --json.
    """


for command in (
    server.serve_command,
    server.worker,
    server.doctor,
    settings.config_group,
    database.database_group,
    users.user_group,
    clients.client_group,
    initial_tokens.initial_token_group,
    statements.statement_group,
    scopes.scope_group,
    resources.resource_group,
    connections.connection_group,
    keys.key_group,
    policies.policy_group,
    sweep.sweep,
    audit.audit_group,
):
    main.add_command(command)
