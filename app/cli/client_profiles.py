"""Owns the command that holds a client to a stricter profile: client profile."""

import click

from app.cli import shell
from app.cli.parameters import ADDRESS
from app.domain import clients
from app.extensions import db

PROFILES = ("fapi2", "none")


@click.command("profile", cls=shell.Command)
@click.argument("client_id", type=ADDRESS, metavar="ID")
@click.argument("profile", type=click.Choice(PROFILES))
def set_profile(client_id: str, profile: str) -> None:
    """Hold a client to the profile FAPI 2.0, or to none.

    With fapi2 it has to push its authorization requests, to sign with PS256, ES256 or EdDSA for
    this issuer alone, and to prove a key by DPoP for each token. Only a client whose method is
    private_key_jwt can.
    """
    with shell.application():
        client = clients.get(client_id)
        clients.edit(
            client,
            by=shell.actor(),
            scopes=client.scopes,
            redirect_uris=(),
            access_token_seconds=client.access_token_seconds,
            pkce_optional=client.pkce_optional,
            fapi2=profile == "fapi2",
        )
        db.session.commit()
    shell.show({"client_id": client_id, "profile": profile})
