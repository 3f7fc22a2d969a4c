"""Owns the texts in client metadata: names, languages, scope, contacts and URLs of pages."""

import re
import unicodedata

from app.domain import errors, redirect_uris

NAME_LENGTH = 100
LABEL_LENGTH = 255
CONTACT_LENGTH = 254
CONTACTS = 20
SCOPE_BYTES = 4096
SCOPE_NAMES = 100
COMBINING_MARKS = 4
"""More marks than this on one letter is no script's spelling; it paints over other text."""

_UNSAFE_CATEGORIES = frozenset(("Cc", "Cn", "Co", "Cs", "Zl", "Zp"))
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def name(member: str, value: object) -> str | None:
    """Return what people will read as the client's name, at most 100 visible characters."""
    return text(member, value, NAME_LENGTH)


def label(member: str, value: object) -> str | None:
    """Return an identifier or a version that the client chose for itself, such as software_id."""
    return text(member, value, LABEL_LENGTH)


def text(member: str, value: object, length: int) -> str | None:
    """Return one line of visible text in NFC, None when nothing visible is in it.

    Control and direction characters are refused, because they make one name look like another or
    break a log line; other invisible characters are dropped, because emoji and some scripts
    use them in good faith.
    """
    raw = string(member, value)
    if len(raw) > 8 * length:
        raise refuse(member, "is too long; shorten it.")
    if any(_is_unsafe(character) for character in raw):
        raise refuse(member, "must not contain control or direction characters; remove them.")
    seen = "".join(character for character in raw if not _is_invisible(character))
    plain = " ".join(unicodedata.normalize("NFC", seen).split())
    if _visible_length(member, plain) > length:
        raise refuse(member, "is too long; shorten it.")
    return plain or None


def scope(member: str, value: object) -> str | None:
    """Return the scope names once each (RFC 6749 section 3.3); what is granted is policy's."""
    raw = string(member, value)
    names = dict.fromkeys(each for each in raw.split(" ") if each)
    if len(raw) > SCOPE_BYTES or len(names) > SCOPE_NAMES:
        raise refuse(member, "may hold at most 100 names and 4096 bytes.")
    if not all(_SCOPE.fullmatch(each) for each in names):
        raise refuse(member, "must hold names of printable ASCII, separated by single spaces.")
    return " ".join(names) or None


def contacts(member: str, value: object) -> list[str]:
    """Return ways to reach the people responsible, as text for operators."""
    if not isinstance(value, list) or len(value) > CONTACTS:
        raise refuse(member, "must be a list of at most 20 strings.")
    found = [text(member, each, CONTACT_LENGTH) for each in value]
    if any("<" in each or ">" in each for each in found if each):
        raise refuse(member, "must hold bare addresses; leave out angle brackets.")
    return list(dict.fromkeys(each for each in found if each))


def page_url(member: str, value: object) -> str:
    """Return the https URL of a page or picture for people; it may end in a fragment."""
    raw = string(member, value)
    page, _, fragment = raw.partition("#")
    https_url(member, page)
    if fragment:
        redirect_uris.check_characters(fragment, lambda what: refuse(member, what))
    return raw


def https_url(member: str, value: object) -> str:
    """Return an https URL that every parser reads alike."""
    raw = string(member, value)
    if redirect_uris.parse(raw, lambda what: refuse(member, what)).scheme != "https":
        raise refuse(member, "must be an https URL.")
    return raw


def string(member: str, value: object) -> str:
    """Return the value when it is a string."""
    if not isinstance(value, str):
        raise refuse(member, "must be a string.")
    return value


def flag(member: str, value: object) -> bool:
    """Return the value when it is true or false."""
    if not isinstance(value, bool):
        raise refuse(member, "must be true or false.")
    return value


def check_language(member: str, tag: str) -> None:
    """Refuse what is not a language tag after the # of a member (RFC 5646 section 2.1)."""
    if len(tag) > 35 or not _LANGUAGE.fullmatch(tag):
        raise refuse(member, "must have a language tag of RFC 5646 after the number sign.")


def refuse(member: str, what: str) -> errors.Refusal:
    """Return the refusal; ``member`` is a name from the specification, never one that was sent."""
    return errors.InvalidClientMetadata(f"{member} {what}")


def _is_unsafe(character: str) -> bool:
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _UNSAFE_CATEGORIES


def _is_invisible(character: str) -> bool:
    return character in _BLANK_LETTERS or unicodedata.category(character) == "Cf"


def _visible_length(member: str, plain: str) -> int:
    """Count characters without their combining marks; refuse heaps of marks."""
    visible = marks = 0
    for character in plain:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        visible += not marks
        if marks > COMBINING_MARKS:
            raise refuse(member, "must not heap combining marks on one letter.")
    return visible
