"""Owns the reading of challenges: how another server says that it wants authorization."""

import re
from dataclasses import dataclass, field

LONGEST = 8192
"""A longer header is not read."""
SCHEMES = ("bearer", "dpop")
SCOPES = 100

_BETWEEN_COMMAS = re.compile(r'(?:[^",]++|"(?:[^"\\]|\\.)*+"?)++', re.DOTALL)
# an unclosed string reaches to the end, so that nothing in it is taken for a challenge

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"
_BEGINNING = re.compile(rf"({_TOKEN})(?:[ \t]++(?!=)|\Z)")
_PARAMETER = re.compile(
    rf"({_TOKEN})[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+)"|([^\s",=][^\s",]*+))'
)
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]++=*+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_ERROR_CODE = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge; its scheme and the names of its parameters are in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def resource_metadata(self) -> str:
        """Return where the metadata of the resource is said to be (RFC 9728 section 5.1)."""
        return self.parameters.get("resource_metadata", "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that are wanted (RFC 6750 section 3); none when one is malformed."""
        return scopes_in(self.parameters.get("scope", ""))

    @property
    def error(self) -> str:
        """Return the error code (RFC 6750 section 3.1), empty when there is none."""
        code = self.parameters.get("error", "")
        return code if _ERROR_CODE.fullmatch(code) else ""


def bearer(header: str) -> Challenge:
    """Return the challenge that wants an access token, an empty one when there is none.

    Of several, the first that says where metadata is counts.
    """
    found = [each for each in read(header) if each.scheme in SCHEMES]
    telling = (each for each in found if each.resource_metadata)
    return next(telling, found[0] if found else Challenge("bearer"))


def scopes_in(text: str) -> tuple[str, ...]:
    """Return the scopes that a text of others names once each; none when one is malformed."""
    names = tuple(dict.fromkeys(text.split()))
    well_formed = len(names) <= SCOPES and all(_SCOPE.fullmatch(name) for name in names)
    return names if well_formed else ()


def read(header: str) -> tuple[Challenge, ...]:
    """Return the challenges of a WWW-Authenticate header (RFC 9110 section 11.6.1).

    One that breaks the grammar is left out whole. Only a value without quotes may hold more than
    the grammar says, because many servers write URLs so.
    """
    found: list[Challenge | None] = [None]
    for element in _BETWEEN_COMMAS.findall(header if len(header) <= LONGEST else ""):
        text = element.strip(" \t")
        begun = _BEGINNING.match(text)
        if begun:
            found.append(Challenge(begun[1].lower()))
            text = text[begun.end() :]
            if not text or _TOKEN68.fullmatch(text):
                continue
        if text and not (found[-1] and _takes(found[-1].parameters, text)):
            found[-1] = None
    return tuple(each for each in found if each)


def _takes(parameters: dict[str, str], text: str) -> bool:
    """Add a parameter; tell whether it is one, and the first of its name."""
    parameter = _PARAMETER.fullmatch(text)
    if parameter is None or parameter[1].lower() in parameters:
        return False
    _, quoted, bare = parameter.groups()
    parameters[parameter[1].lower()] = bare or re.sub(r"\\(.)", r"\1", quoted)
    return True
