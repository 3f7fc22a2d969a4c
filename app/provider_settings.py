"""Owns the settings of identity providers: a group of variables for each."""

from app import secret_files
from app.domain import identity_provider_drafts
from app.variable_groups import SECRET, Member, VariableGroup


def domains(text: str) -> str:
    """Read domains, which a list may separate with commas."""
    return " ".join(text.replace(",", " ").split())


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
    },
    draft=identity_provider_drafts.Draft,
    draft_faults=identity_provider_drafts.faults,
)
