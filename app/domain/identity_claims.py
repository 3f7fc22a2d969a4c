"""Owns which claims tell who a person is, by scope or asked for one by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import errors, json_objects

BY_SCOPE = {
    "profile": ("name", "preferred_username"),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Of the standard claims (OpenID Connect Core section 5.4) those that an account can have."""
SCOPE_OF = {claim: scope for scope, claims in BY_SCOPE.items() for claim in claims}
LONGEST = 8000
MALFORMED = (
    "The claims parameter must be a JSON object whose members userinfo and id_token hold claims,"
    " each null or an object (OpenID Connect Core section 5.5)."
)


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What the claims parameter asks for (OpenID Connect Core section 5.5)."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    subject: str | None = None
    """The only person who will do."""
    acr_values: frozenset[str] | None = None
    """The only ways of signing in that will do."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes in whose words people are asked for the claims."""
        return tuple(dict.fromkeys(SCOPE_OF[name] for name in (*self.userinfo, *self.id_token)))

    def within(self, scopes: Iterable[str]) -> "ClaimsRequest":
        """Leave out the claims of scopes that cannot be granted."""
        allowed = frozenset(scopes)
        userinfo, id_token = (
            tuple(name for name in names if SCOPE_OF[name] in allowed)
            for names in (self.userinfo, self.id_token)
        )
        return ClaimsRequest(userinfo, id_token, self.subject, self.acr_values)

    def kept(self) -> dict[str, list[str]] | None:
        """Return what a grant has to remember, None when that is nothing."""
        names = {"userinfo": list(self.userinfo), "id_token": list(self.id_token)}
        return {place: each for place, each in names.items() if each} or None


def parse(text: str | None) -> ClaimsRequest:
    """Return what the parameter asks for; claims that are unknown here are ignored.

    Raises InvalidRequest when it is malformed. That a claim is essential changes nothing, except
    for ``sub`` and ``acr``: a claim that is not known is left out (section 5.5.1).
    """
    if text is None:
        return ClaimsRequest()
    document = json_objects.pasted(text.encode(), LONGEST, errors.InvalidRequest(MALFORMED))
    userinfo, id_token = members(document, "userinfo"), members(document, "id_token")
    subject = id_token.get("sub", {}).get("value")
    return ClaimsRequest(
        tuple(name for name in userinfo if name in SCOPE_OF),
        tuple(name for name in id_token if name in SCOPE_OF),
        None if subject is None else str(subject),
        demanded(id_token.get("acr", {})),
    )


def members(document: Mapping[str, Any], place: str) -> dict[str, dict[str, Any]]:
    """Return the claims that are asked for at a place, each with what is said about it."""
    asked = {} if document.get(place) is None else document[place]
    if not isinstance(asked, dict) or not all(
        isinstance(about, dict | None) for about in asked.values()
    ):
        raise errors.InvalidRequest(MALFORMED)
    return {name: about or {} for name, about in asked.items()}


def demanded(about: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the values one of which an essential claim must have, None when any will do."""
    values = about.get("values", [about["value"]] if "value" in about else None)
    if about.get("essential") is not True or not isinstance(values, list):
        return None
    return frozenset(str(value) for value in values)


def of_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the claims that some scopes stand for."""
    return tuple(name for scope in scopes for name in BY_SCOPE.get(scope, ()))


def chosen(known: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the claims of some names that are known; nothing is made up."""
    return {name: known[name] for name in dict.fromkeys(names) if name in known}
