"""Owns the rules that come with the server, for operators to add with one press."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.domain import rules
from app.domain.known_clients import KNOWN_CLIENTS, KnownClient
from app.domain.rules import Rule


@dataclass(frozen=True, slots=True)
class Preset:
    """Some rules that belong together; names tell whether they are there already."""

    key: str
    title: str
    description: str
    rules: tuple[Rule, ...]

    def missing(self, there: Sequence[Rule]) -> tuple[Rule, ...]:
        """Return the rules whose names no rule has yet."""
        names = {rule.name.casefold() for rule in there}
        return tuple(rule for rule in self.rules if rule.name.casefold() not in names)


CODE_GRANTS = ("authorization_code", "refresh_token")
"""Grants whose tokens go where the redirect URIs lead; those of a device do not."""


def rule(name: str, outcome: str, when: Mapping[str, Sequence[str]], **more: Any) -> Rule:
    """Return a rule that was read like one of an operator."""
    return rules.from_json(
        {"name": name, "outcome": outcome, "when": {key: list(when[key]) for key in when}, **more}
    )


def vendor_hosts() -> list[str]:
    """Return the hosts that codes of known web clients go to, a vendor's other hosts left out."""
    found = [urlsplit(uri) for known in KNOWN_CLIENTS for uri in known.redirect_uris]
    return list(dict.fromkeys(uri.netloc for uri in found if uri.scheme == "https"))


def editors() -> list[KnownClient]:
    """Return the known clients of vendors that run on the end-user's own computer."""
    return [
        known for known in KNOWN_CLIENTS if known.vendor and known.on_computer and exact_uris(known)
    ]


def exact_uris(known: KnownClient) -> list[str]:
    """Return the callbacks that are the same for everybody."""
    return [uri for uri in known.redirect_uris if "{" not in uri]


def editor_rule(known: KnownClient) -> Rule:
    """Return the rule of one editor; some add the name of a server in parentheses."""
    names = [pattern for name in known.names for pattern in (name, f"{name} (*")]
    when = {"redirect_uri": exact_uris(known), "name": names, "grant_type": CODE_GRANTS}
    return rule(f"Editor: {known.name}", "admit", when)


PRESETS = (
    Preset(
        "loopback",
        "Loopback only",
        "Admits apps without a secret whose codes go nowhere but to the computer of the person"
        " who signs in.",
        (
            rule(
                "Loopback only",
                "admit",
                {
                    "redirect_host": ["loopback"],
                    "auth_method": ["none"],
                    "grant_type": CODE_GRANTS,
                },
            ),
        ),
    ),
    Preset(
        "vendor_hosts",
        "Vendor hosts",
        f"Admits software whose codes go to the callback hosts of known clients only:"
        f" {', '.join(vendor_hosts())}.",
        (
            rule(
                "Vendor hosts",
                "admit",
                {"redirect_host": vendor_hosts(), "grant_type": CODE_GRANTS},
            ),
        ),
    ),
    Preset(
        "editors",
        "MCP editors",
        "Admits known editors and agents by name, if their codes go to their usual places only:"
        f" {', '.join(known.name for known in editors())}.",
        tuple(map(editor_rule, editors())),
    ),
    Preset(
        "initial_access_token",
        "Only with an initial access token",
        "Admits what registers with an initial access token and refuses everything else. Rules"
        " after these two never decide, so add it last.",
        (
            rule("With an initial access token", "admit", {"initial_access_token": ["*"]}),
            rule(
                "Without an initial access token",
                "refuse",
                {},
                message="Registration needs an initial access token.",
            ),
        ),
    ),
)


def find(key: str) -> Preset | None:
    """Return one preset."""
    return next((preset for preset in PRESETS if preset.key == key), None)
