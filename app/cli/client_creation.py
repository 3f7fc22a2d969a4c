"""Owns the command that creates a client by hand: client create."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from app import sectors
from app.cli import shell
from app.cli.parameters import ADDRESS, FILE, NAME, names
from app.cli.scopes import check_known
from app.cli.statements import read_keys
from app.config import Settings, current_key
from app.domain import (
    admissions,
    assertion_secrets,
    client_information,
    client_metadata,
    errors,
    grant_types,
    openid_metadata,
    resources,
    scopes,
)
from app.domain.client_metadata import MetadataRules
from app.extensions import db

RULES = MetadataRules()
WITHOUT_GRANT = (["client_credentials"], ["authorization_code", "refresh_token"])
"""Grants of a client that names none: without redirect URIs, and with them."""


OPTIONS: list[click.Parameter] = [
    click.Option(["--name"], type=NAME, required=True, help="What people see."),
    click.Option(
        ["--grant", "grants"],
        type=click.Choice(grant_types.ALL),
        multiple=True,
        help="Repeatable.",
    ),
    click.Option(["--redirect-uri", "redirect_uris"], multiple=True, help="Repeatable."),
    click.Option(["--post-logout-redirect-uri", "after_logout"], multiple=True, help="Repeatable."),
    click.Option(["--backchannel-logout-uri"], help="Where it hears that a session has ended."),
    click.Option(["--scope"], multiple=True, help="What it may have; separated by spaces."),
    click.Option(
        ["--auth-method"],
        type=click.Choice(RULES.auth_methods),
        default="client_secret_basic",
        show_default=True,
    ),
    click.Option(["--jwks-uri"], type=ADDRESS, help="Where its keys are, for private_key_jwt."),
    click.Option(["--jwks"], type=FILE, help="Its keys: a file with a JWK set, or - for stdin."),
    click.Option(
        ["--subject-type"],
        type=click.Choice(openid_metadata.SUBJECT_TYPES),
        help="pairwise: it knows people by identifiers that apps of other hosts are not told.",
    ),
    click.Option(
        ["--sector-identifier-uri"], type=ADDRESS, help="Lists the redirect URIs of its sector."
    ),
    click.Option(
        ["--resource", "targets"],
        type=ADDRESS,
        multiple=True,
        help="Restrict its tokens to this resource. Repeatable; without it every resource.",
    ),
    click.Option(
        ["--introspects"],
        type=ADDRESS,
        multiple=True,
        help="It is this resource and may introspect its tokens. Repeatable.",
    ),
]


@click.command("create", cls=shell.Command, params=OPTIONS)
def create(
    *, scope: tuple[str, ...], targets: tuple[str, ...], introspects: tuple[str, ...], **about: Any
) -> None:
    """Create a client that is active at once.

    Prints the client information response (RFC 7591) with the client_secret, if it has one, which
    nobody can read again. Scopes and resources must be in the catalogue. Without --grant a client
    with redirect URIs gets authorization_code and refresh_token, any other client_credentials.
    """
    wanted = names(scope)
    with shell.application() as app:
        settings = shell.settings_of(app)
        rules = replace(
            settings.metadata_rules, grant_types=grant_types.ALL, device_beside_code=True
        )
        metadata = client_metadata.parse(document(wanted, **about), rules)
        check_method(about["auth_method"], introspects)
        sectors.check(metadata)

        client, issued = admissions.create(
            metadata,
            by=shell.actor(),
            allowed=allowed_scopes(wanted, metadata),
            resources=known_resources(targets, settings) or None,
            introspects=known_resources(introspects, settings),
        )
        assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
        answer = client_information.of(client, settings.issuer, issued)
        db.session.commit()
    shell.show(answer)


def document(
    wanted: tuple[str, ...],
    *,
    name: str,
    grants: tuple[str, ...],
    redirect_uris: tuple[str, ...],
    after_logout: tuple[str, ...],
    backchannel_logout_uri: str | None,
    auth_method: str,
    jwks_uri: str | None,
    jwks: Path | None,
    **subjects: str | None,
) -> dict[str, Any]:
    """Return the options as a client would ask for them (RFC 7591 section 2)."""
    return {
        "jwks_uri": jwks_uri,
        "jwks": None if jwks is None else read_keys(jwks),
        "client_name": name,
        "grant_types": list(grants) or WITHOUT_GRANT[bool(redirect_uris)],
        "redirect_uris": list(redirect_uris),
        "post_logout_redirect_uris": list(after_logout),
        "backchannel_logout_uri": backchannel_logout_uri,
        "scope": scopes.join(wanted),
        "token_endpoint_auth_method": auth_method,
        **subjects,
    }


def check_method(auth_method: str, introspects: Sequence[str]) -> None:
    """Refuse a resource server that could not prove who it is (RFC 7662 section 2.1)."""
    if introspects and auth_method == "none":
        raise errors.InvalidClientMetadata(
            "A client that introspects has to prove itself; choose another --auth-method."
        )


def allowed_scopes(wanted: tuple[str, ...], metadata: dict[str, Any]) -> tuple[str, ...]:
    """Return the named scopes, which the catalogue must have; without any what people get."""
    check_known(wanted)
    people = grant_types.PERSONAL & set(metadata["grant_types"])
    return wanted or (scopes.defaults() if people else ())


def known_resources(uris: Sequence[str], settings: Settings) -> list[str]:
    """Return URIs as the catalogue spells them; raises InvalidTarget for one it does not have."""
    found = []
    for uri in dict.fromkeys(uris):
        row = resources.find(uri)
        if row is None and uri != settings.resource:
            raise errors.InvalidTarget(
                "A resource is not in the catalogue; add it with gatewright resource create.",
                resource=uri,
            )
        found.append(uri if row is None else row.uri)
    return found
