"""Owns rules made out of a decision: what comes like this software is decided the same way."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import redirect_uris, rule_conditions, rule_lines
from app.domain.obligations import Obligations
from app.domain.rules import NAME_LENGTH, Rule


def always_admit(metadata: Mapping[str, Any], scopes: Sequence[str]) -> Rule:
    """Return a draft that admits what has the same redirect URIs, name, grants and method.

    It gives no more scopes than the software has; an operator looks it through and saves it.
    """
    name = metadata.get("client_name", "")
    uris = map(redirect_uris.without_loopback_port, metadata.get("redirect_uris", ()))
    when = {
        "redirect_uri": tuple(dict.fromkeys(uris)),
        "name": (rule_lines.plain(name),) if name and "*" not in name else (),
        "grant_type": tuple(metadata["grant_types"]),
        "auth_method": (metadata["token_endpoint_auth_method"],),
    }
    kept = {condition: lines for condition, lines in when.items() if lines}
    return Rule(titled("Like", name), "admit", kept, Obligations(scopes=tuple(scopes) or None))


def always_refuse(metadata: Mapping[str, Any]) -> Rule:
    """Return a draft that refuses what leads to the same web hosts, else what reads like it."""
    name = metadata.get("client_name", "")
    hosts = dict.fromkeys(map(rule_conditions.host, metadata.get("redirect_uris", ())))
    web = tuple(host for host in hosts if host not in ("", rule_conditions.LOOPBACK))
    when = {"redirect_host": web} if web else {}
    if name and not web:
        when = {"name_reads_like": (rule_lines.reading(name),)}
    return Rule(titled("Never like", name), "refuse", when)


def titled(prefix: str, name: str) -> str:
    """Return a name for the rule."""
    return f"{prefix} {name or 'software without a name'}"[:NAME_LENGTH]
