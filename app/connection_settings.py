"""Owns the settings of connections: a group of variables for each, its faults, a taken name."""

from app import secret_files
from app.domain import connection_drafts
from app.variable_groups import SECRET, Member, VariableGroup

NO_NUMBER = -1


def number(text: str) -> int:
    """Read a number; what is none is one that no rule lets through."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else NO_NUMBER


GROUP = VariableGroup(
    prefix=f"{secret_files.PREFIX}CONNECTION_",
    noun="a connection",
    members={
        "token_endpoint": Member(
            "text", "URL that gives this server its tokens, or else the issuer."
        ),
        "issuer": Member("text", "Issuer whose metadata name that URL."),
        "client_id": Member("text", "This server's client_id there."),
        SECRET: Member("text, *secret*", "Its client_secret there; private_key_jwt needs none."),
        "auth_method": Member(
            " or ".join(f"`{method}`" for method in connection_drafts.AUTH_METHODS),
            "How it proves itself there; private_key_jwt signs with this server's own key.",
        ),
        "scope": Member("text", "Scopes to ask for; empty asks for none."),
        "resource": Member("text", "Resource to ask for (RFC 8707); empty asks for none."),
        "expiry_buffer_seconds": Member(
            "number of seconds, at least 0",
            "A token is renewed so long before it expires.",
            number,
        ),
    },
    draft=connection_drafts.Draft,
    draft_faults=connection_drafts.faults,
)


def taken(name: str) -> str:
    """Say that people made a connection of this name."""
    return (
        f"{GROUP.variable(name, '')}* set a connection that people have made as well: end theirs"
        f" with gatewright connection delete {name}, or choose another name"
    )
