"""Owns the settings of identity providers: a group of variables for each."""

from app import secret_files
from app.domain import identity_provider_drafts
from app.variable_groups import SECRET, Member, VariableGroup


def domains(text: str) -> str:
    """Read domains, which a list may separate with commas."""
    return " ".join(text.replace(",", " ").split())


def flag(text: str) -> bool | str:
    """Read a switch; what is neither on nor off stays as it is and is a fault."""
    return {"true": True, "false": False}.get(text.strip().lower(), text)


GROUP = VariableGroup(
    prefix=f"{secret_files.PREFIX}IDP_",
    noun="an identity provider",
    members={
        "issuer": Member(
            "text", "Issuer of an identity provider, byte for byte as it names itself."
        ),
        "client_id": Member("text", "This server's client_id there."),
        SECRET: Member("text, *secret*", "Its client_secret there."),
        "scope": Member("text", "Scopes to ask for, openid among them."),
        "allowed_domains": Member(
            "words separated by spaces",
            "Domains of e-mail addresses that may sign in; empty is all.",
            domains,
        ),
        "vouches": Member(
            "`true` or `false`",
            "Whether apps get tokens of people on its word alone (ID-JAG).",
            flag,
        ),
    },
    draft=identity_provider_drafts.Draft,
    draft_faults=identity_provider_drafts.faults,
)
