"""Owns user codes: what a device shows and a person types (RFC 8628 section 6.1)."""

from app.domain import credentials

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words arise, and no digits, which look like letters."""
LENGTH = 8


def new() -> str:
    """Return a user code as people read it, in two halves."""
    return shown(credentials.new_letters(LENGTH, LETTERS))


def read(typed: str) -> str:
    """Return the user code that was typed, whatever its case, hyphen and spaces.

    Empty for what cannot be one.
    """
    letters = "".join(filter(str.isalnum, typed[:64].upper()))
    possible = len(letters) == LENGTH and set(letters) <= set(LETTERS)
    return shown(letters) if possible else ""


def shown(letters: str) -> str:
    """Write letters as people read them."""
    return f"{letters[:4]}-{letters[4:]}"


def digest(key: bytes, user_code: str) -> str:
    """Return what is kept of a user code; keyed, because so few letters can be guessed."""
    return credentials.derive(key, "user code", user_code)
