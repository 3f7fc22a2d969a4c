"""Owns the vocabulary of admission rules: what a condition looks at, and when it holds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.domain import client_metadata, errors, redirect_uris, rule_lines, skeletons
from app.domain.evidence import Evidence
from app.domain.rule_comparisons import (
    at_least,
    is_host,
    is_in_network,
    is_like,
    is_url_like,
    same,
    same_or_any,
)

SOURCES = ("dcr", "cimd", "statement", "import")
LOOPBACK = "loopback"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that rules may look at."""

    label: str
    hint: str
    facts: Callable[[Evidence], Iterable[Any]]
    """What the arrival brings; a condition about what is not there never holds."""
    meets: Callable[[Any, str], bool]
    """Tells whether one fact is what one line of the rule wants."""
    read: Callable[[str], str]
    """Returns one line of a rule as it is kept; raises InvalidRequest."""
    choices: tuple[str, ...] = ()
    """All that can be wanted, when that is a short list."""
    early: bool = False
    """Known before the metadata are, so it can keep a document from being fetched."""


def holds(condition: Condition, evidence: Evidence, wanted: Iterable[str], *, every: bool) -> bool:
    """Tell whether one fact at least, or every fact, is among what is wanted."""
    lines = tuple(wanted)
    met = [any(condition.meets(fact, line) for line in lines) for fact in condition.facts(evidence)]
    return bool(met) and (all(met) if every else any(met))


def uris(evidence: Evidence) -> list[str]:
    """Return the redirect URIs of an arrival."""
    return list(evidence.metadata.get("redirect_uris", ()))


def host(uri: str) -> str:
    """Return the host that a redirect URI leads to; a private-use scheme has none."""
    if redirect_uris.is_loopback(uri):
        return LOOPBACK
    parts = redirect_uris.parse(uri, errors.InvalidRedirectURI)
    return parts.host.lower() if parts.scheme in ("http", "https") else ""


def vouched(evidence: Evidence) -> Iterable[str]:
    """Return who signed the statement, and an empty name for each thing it should say and lacks.

    A statement is no secret: whoever has it could add redirect URIs or grants of their own. No
    line of a rule is the empty name, so a rule does not admit those.
    """
    if not evidence.statement_issuer:
        return ()
    alone = set(evidence.metadata["grant_types"]) - set(client_metadata.DEFAULT_GRANTS)
    needed = {"redirect_uris", "grant_types"} if alone else {"redirect_uris"}
    return (evidence.statement_issuer, *[""] * len(needed & set(evidence.statement_lacks)))


METHODS = client_metadata.MetadataRules.auth_methods
GRANTS = client_metadata.MetadataRules.grant_types
CONDITIONS = {
    "source": Condition(
        "Source",
        "How it arrives: registering itself (dcr), by a document (cimd), a statement or an import.",
        lambda evidence: (evidence.source,),
        same,
        rule_lines.one_of(*SOURCES),
        SOURCES,
        early=True,
    ),
    "document_host": Condition(
        "Document host",
        "app.example.com, or *.example.com for every name below: where its document is.",
        lambda evidence: map(host, filter(None, [evidence.document_url])),
        is_host,
        rule_lines.host_pattern,
        early=True,
    ),
    "document_url": Condition(
        "Document URL",
        "The whole URL of its document; a star stands for any characters except a slash.",
        lambda evidence: filter(None, [evidence.document_url]),
        is_url_like,
        rule_lines.url_pattern,
        early=True,
    ),
    "redirect_uri": Condition(
        "Redirect URI",
        "Exact addresses that codes may go to; a loopback address stands for every port.",
        uris,
        lambda found, wanted: redirect_uris.matches(wanted, found),
        rule_lines.uri,
    ),
    "redirect_host": Condition(
        "Redirect host",
        "app.example.com, *.example.com for every name below, or loopback.",
        lambda evidence: map(host, uris(evidence)),
        is_host,
        rule_lines.host_pattern,
    ),
    "redirect_scheme": Condition(
        "Redirect scheme",
        "https, http or a private-use scheme such as com.example.app.",
        lambda evidence: (uri.partition(":")[0].lower() for uri in uris(evidence)),
        same,
        rule_lines.scheme,
    ),
    "name": Condition(
        "Name",
        "The name it gives itself; a star stands for any characters. Anybody can claim a name.",
        lambda evidence: filter(None, [rule_lines.plain(evidence.metadata.get("client_name", ""))]),
        is_like,
        rule_lines.pattern,
    ),
    "name_reads_like": Condition(
        "Name reads like",
        "Catches the same name in look-alike letters, such as Cyrillic ones.",
        lambda evidence: filter(
            None, [skeletons.skeleton(evidence.metadata.get("client_name", ""))]
        ),
        same,
        rule_lines.reading,
    ),
    "software_id": Condition(
        "Software id",
        "The software_id of RFC 7591, which the software gives itself.",
        lambda evidence: filter(None, [evidence.metadata.get("software_id")]),
        same,
        rule_lines.line,
    ),
    "grant_type": Condition(
        "Grant type",
        "The grants it asks for.",
        lambda evidence: evidence.metadata["grant_types"],
        same,
        rule_lines.one_of(*GRANTS),
        GRANTS,
    ),
    "scope": Condition(
        "Scope",
        "The scopes it names; software that names none is not covered.",
        lambda evidence: evidence.metadata.get("scope", "").split(),
        same,
        rule_lines.line,
    ),
    "resource": Condition(
        "Resource",
        "What its scopes would reach here: the whole URI of a resource; a star stands for any"
        " characters except a slash.",
        lambda evidence: evidence.resources,
        is_url_like,
        rule_lines.url_pattern,
    ),
    "auth_method": Condition(
        "Authentication",
        "How it authenticates at the token endpoint.",
        lambda evidence: (evidence.metadata.get("token_endpoint_auth_method", ""),),
        same,
        rule_lines.one_of(*METHODS),
        METHODS,
    ),
    "initial_access_token": Condition(
        "Initial access token",
        "The identifier of the token it registered with, or a star for any token.",
        lambda evidence: filter(None, [evidence.initial_access_token]),
        same_or_any,
        rule_lines.line,
        early=True,
    ),
    "statement_issuer": Condition(
        "Statement issuer",
        "Who signed its software statement. To admit, the statement must name the redirect URIs.",
        vouched,
        same,
        rule_lines.line,
        early=True,
    ),
    "network": Condition(
        "Network",
        "The networks it comes from, such as 192.0.2.0/24.",
        lambda evidence: filter(None, [evidence.address]),
        is_in_network,
        rule_lines.network,
        early=True,
    ),
    "look_alike": Condition(
        "Look-alike score, at least",
        "From 0 to 100: how much its name or host looks like that of other software.",
        lambda evidence: (evidence.look_alike,),
        at_least,
        rule_lines.number,
    ),
    "seen_count": Condition(
        "Seen before, at least so often",
        "How often this software has arrived before.",
        lambda evidence: (evidence.seen_count,),
        at_least,
        rule_lines.number,
    ),
    "arrivals_last_hour": Condition(
        "Registrations in the last hour, at least",
        "How often this software registered in the hour before.",
        lambda evidence: (evidence.arrivals_last_hour,),
        at_least,
        rule_lines.number,
    ),
}
"""Conditions by the name they have in policy files, in the order in which forms show them."""
