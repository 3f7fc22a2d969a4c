"""Owns the rules of client metadata: what a client may say about itself (RFC 7591 section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain import (
    assertion_keys,
    client_keys,
    client_texts,
    errors,
    grant_types,
    openid_metadata,
    redirect_uris,
    request_objects,
)

REDIRECT_URIS = 32
SECRET_METHODS = ("client_secret_basic", "client_secret_post", assertion_keys.BY_SECRET)
LOCALISED = 100
"""How many members with a language tag one document may have."""
DEFAULT_GRANTS = ["authorization_code", "refresh_token"]
"""Grants of a client that names none, in place of the code grant alone: most clients built on
the MCP kits name none and would otherwise have to sign people in again every few minutes."""


@dataclass(frozen=True)
class MetadataRules:
    """What this server supports, from the settings."""

    grant_types: tuple[str, ...] = grant_types.REGISTRABLE
    auth_methods: tuple[str, ...] = (
        "none",
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
    )
    private_use_schemes: frozenset[str] = frozenset(redirect_uris.KNOWN_EDITORS)
    device_beside_code: bool = False
    """Whether a client may have both grants. Only one made by hand may: software that asks for
    codes is approved for all its registrations, a device alone, and editors ask for either."""


def _application_type(member: str, value: object) -> str | None:
    """Return the hint when it is one; the registrations of real clients often lack it."""
    kind = client_texts.string(member, value)
    return kind if kind in ("native", "web") else None


Rule = Callable[[str, object], object]
"""Returns the normalised value, None or an empty one when it says nothing."""

RULES: dict[str, Rule] = {
    "application_type": _application_type,
    "client_name": client_texts.name,
    "client_uri": client_texts.page_url,
    "logo_uri": client_texts.page_url,
    "tos_uri": client_texts.page_url,
    "policy_uri": client_texts.page_url,
    "contacts": client_texts.contacts,
    "scope": client_texts.scope,
    "jwks": client_keys.key_set,
    "jwks_uri": client_texts.https_url,
    "require_pushed_authorization_requests": client_texts.flag,
    "dpop_bound_access_tokens": client_texts.flag,
    "software_id": client_texts.label,
    "software_version": client_texts.label,
    **openid_metadata.RULES,
    **request_objects.RULES,
}
"""Members with a rule of their own; a member that no rule knows is dropped, whoever sent it."""

LOGOUT = ("post_logout_redirect_uris", "backchannel_logout_uri")
"""Where browsers are sent, and this server itself, when people sign out."""

MEMBERS = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    *RULES,
    *assertion_keys.MEMBERS,
    request_objects.ALGORITHM,
)
"""All members that are read; none of them is a credential."""

LOCALISABLE = ("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri")


def parse(document: object, rules: MetadataRules = MetadataRules()) -> dict[str, object]:
    """Return the metadata that a decoded JSON document asks for, spelled as the RFC.

    Defaults are filled in, values are normalised, unknown members and those that only the server
    sets are dropped, and no value is None or empty. Parsing the result again gives the same.
    A client that names no grant_types gets authorization_code and refresh_token: the server may
    replace what was asked and says so in its answer (RFC 7591 section 3.2.1).
    Raises InvalidRedirectURI, InvalidClientMetadata or InvalidSoftwareStatement (RFC 7591 section
    3.2.2), and nothing else, whatever the document.
    """
    asked = _said(document)
    if "software_statement" in asked:
        raise errors.InvalidSoftwareStatement(
            "A software statement counts at the registration endpoint only; leave it out here."
        )
    method = _auth_method(asked, rules)
    grants = _grant_types(asked, rules, method)
    metadata: dict[str, object] = {
        "redirect_uris": _redirect_uris(asked, rules, grants),
        "token_endpoint_auth_method": method,
        "grant_types": grants,
        "response_types": _response_types(asked, grants),
        "post_logout_redirect_uris": after_logout(asked, rules),
        **{name: rule(name, asked[name]) for name, rule in RULES.items() if name in asked},
        **_localised(asked),
    }
    if "jwks" in metadata and "jwks_uri" in metadata:
        raise errors.InvalidClientMetadata("Send either jwks or jwks_uri, not both.")
    metadata |= assertion_keys.said(asked, metadata) | request_objects.said(asked, metadata)
    said = {name: value for name, value in metadata.items() if value}
    openid_metadata.check_sector(said)
    return said


def has_secret(metadata: Mapping[str, object]) -> bool:
    """Tell whether a client with some metadata proves itself by a secret."""
    return metadata["token_endpoint_auth_method"] in SECRET_METHODS


def signs_with_secret(metadata: Mapping[str, object]) -> bool:
    """Tell whether a client with some metadata proves itself by what its secret has signed."""
    return metadata["token_endpoint_auth_method"] == assertion_keys.BY_SECRET


def _said(document: object) -> dict[str, object]:
    """Return the members with a value; null and empty ones count as left out."""
    if not isinstance(document, dict):
        raise errors.InvalidClientMetadata("Client metadata must be a JSON object.")
    return {name: value for name, value in document.items() if value not in (None, "", [])}


def _auth_method(asked: dict[str, object], rules: MetadataRules) -> str:
    """Return how the client proves itself at the token endpoint; a secret by default."""
    method = asked.get("token_endpoint_auth_method", "client_secret_basic")
    if not isinstance(method, str) or method not in rules.auth_methods:
        raise errors.InvalidClientMetadata(
            "token_endpoint_auth_method must be one that the server metadata lists."
        )
    return method


def _grant_types(asked: dict[str, object], rules: MetadataRules, method: str) -> list[str]:
    """Return the grants that are both asked for and supported; the others are dropped."""
    grants = _names("grant_types", asked.get("grant_types", DEFAULT_GRANTS))
    grants = [each for each in grants if each in rules.grant_types]
    if grant_types.CODE in grants and not rules.device_beside_code:
        grants = [each for each in grants if each != grant_types.DEVICE]
    if not grants:
        raise errors.InvalidClientMetadata(
            "grant_types must name a grant that the server metadata lists."
        )
    if grants == ["refresh_token"]:
        raise errors.InvalidClientMetadata(
            "grant_types must name the grant that gives the first refresh token."
        )
    if {grant_types.CLIENT, *grant_types.BY_HAND} & set(grants) and method == "none":
        raise errors.InvalidClientMetadata(
            "client_credentials, token-exchange and jwt-bearer need a client that authenticates;"
            " change token_endpoint_auth_method."
        )
    return grants


def _response_types(asked: dict[str, object], grants: list[str]) -> list[str]:
    """Return the response types that fit the grants (RFC 7591 section 2.1)."""
    if "code" not in _names("response_types", asked.get("response_types", ["code"])):
        raise errors.InvalidClientMetadata(
            "response_types must contain code; this server has no other."
        )
    return ["code"] if "authorization_code" in grants else []


def _redirect_uris(asked: dict[str, object], rules: MetadataRules, grants: list[str]) -> list[str]:
    """Return the redirect URIs, of which the code grant needs one."""
    found = uris("redirect_uris", asked, rules)
    if "authorization_code" in grants and not found:
        raise errors.InvalidRedirectURI(
            "redirect_uris must name at least one URI for the authorization_code grant."
        )
    return found


def after_logout(asked: Mapping[str, object], rules: MetadataRules) -> list[str]:
    """Return where people are sent after signing out: to hosts that codes go to as well.

    Policy and approvers decide by redirect URIs, so nothing else may lead browsers elsewhere.
    """
    found = uris("post_logout_redirect_uris", asked, rules)
    if not found:
        return []
    homes = set(map(redirect_uris.home_of, uris("redirect_uris", asked, rules)))
    if not homes.issuperset(map(redirect_uris.home_of, found)):
        raise errors.InvalidRedirectURI(
            "post_logout_redirect_uris must each have the scheme and the host of a redirect URI."
        )
    return found


def uris(member: str, asked: Mapping[str, object], rules: MetadataRules) -> list[str]:
    """Return addresses that browsers are sent to as they were sent, once each."""
    sent = asked.get(member, [])
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        raise errors.InvalidRedirectURI(f"{member} must be a list of strings.")
    if len(sent) > REDIRECT_URIS:
        raise errors.InvalidRedirectURI(f"{member} may hold at most 32 URIs.")
    native = asked.get("application_type") != "web"
    schemes = rules.private_use_schemes
    return [
        redirect_uris.validate(uri, private_use_schemes=schemes, native_hint=native)
        for uri in dict.fromkeys(sent)
    ]


def _localised(asked: dict[str, object]) -> dict[str, object]:
    """Return the members with a language tag, such as client_name#ja (RFC 7591 section 2.2)."""
    found: dict[str, object] = {}
    for member, value in asked.items():
        name, mark, tag = str(member).partition("#")
        if mark and name in LOCALISABLE:
            client_texts.check_language(name, tag)
            found[f"{name}#{tag}"] = RULES[name](name, value)
    if len({each.lower() for each in found}) < len(found) or len(found) > LOCALISED:
        raise errors.InvalidClientMetadata(
            "A member may be given once for each language, and at most 100 times in all."
        )
    return found


def _names(member: str, value: object) -> list[str]:
    """Return a list of strings, each once."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise client_texts.refuse(member, "must be a list of strings.")
    return list(dict.fromkeys(value))
