"""Owns what a reader sees in a name: letters that look alike are reduced to one."""

import re
import unicodedata
from functools import lru_cache

import idna

_LOOK_LIKE = {
    "a": "аαɑᴀᎪ",
    "b": "8вьβƅʙᏴᏏ",
    "c": "сᴄᏟ",
    "d": "ԁđᴅᎠᏧ",
    "e": "3еεҽєᴇᎬ",
    "f": "ϝքꜰẝ",
    "g": "ɡցɢƍԍᏀᏳ",
    "h": "һнհħʜᎻᏂ",
    "i": "іιıɩɪꙇᎥ",
    "j": "јϳյᴊᎫ",
    "k": "кκĸᴋᏦ",
    "l": "1|ӏǀłʟլᏞ",
    "m": "мϻᴍᎷ",
    "n": "ηոռпɴ",
    "o": "0оοσօøᴏᴑ",
    "p": "рρᴘᏢ",
    "q": "ԛգզ",
    "r": "гʀᴦᎡᏒᎱ",
    "s": "5ѕտꜱƽᏚᏕ",
    "t": "тτŧᴛᎢ",
    "u": "սυμʋᴜ",
    "v": "νѵᴠᏙ",
    "w": "ԝωѡաɯᴡᏔᎳ",
    "x": "хχ",
    "y": "уүγɣʏᎩᎽ",
    "z": "ζᴢᏃ",
}
"""By Latin letter, what reads like it once case is folded.

From the confusables of Unicode UTS #39, with small capitals and struck letters added.
"""

CONFUSABLE = str.maketrans({c: letter for letter, row in _LOOK_LIKE.items() for c in row})
CAPITALS = str.maketrans("ΗΜΝΥ", "hmny")
"""Greek capitals that read unlike their small letters."""

_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST_RUN = 12
_LONGEST_HOST = 253


def skeleton(name: str) -> str:
    """Reduce a name to what a reader sees, so that look-alikes meet."""
    return " ".join(_joined_pairs(_folded(name)).split())


def _folded(name: str) -> str:
    """Fold the case of every letter, take off its marks and read what it looks like."""
    if name.isascii():
        return name.casefold().translate(CONFUSABLE)
    folded = unicodedata.normalize("NFKD", name).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return letters.translate(CONFUSABLE)


def _joined_pairs(letters: str) -> str:
    return letters.replace("rn", "m").replace("vv", "w")


def _is_letter(character: str) -> bool:
    """Count marks as letters: the vowels of some scripts are marks."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def spelling(name: str) -> str:
    """Return a name without differences that nobody sees: capitals and the amount of space."""
    return " ".join(name.casefold().split())


def letters(name: str) -> str:
    """Return the letters and digits of a name as they are."""
    return "".join(filter(str.isalnum, name))


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name as a hasty reader sees their letters; i reads as l.

    Words end at spaces, punctuation and inner capitals, so that ``Claude-Code`` and ``ClaudeCode``
    have the same two.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name).translate(CAPITALS)
    seen = _folded(_INNER_CAPITAL.sub(" ", name)).replace("i", "l")
    return tuple("".join(c if _is_letter(c) else " " for c in seen).split())


_ASCII_READING = {code: "".join(_words(chr(code))) for code in range(128)}


@lru_cache(maxsize=4096)
def reading(name: str) -> str:
    """Return a name as a hasty reader sees it: its words without anything between them."""
    return _joined_pairs(
        name.translate(_ASCII_READING) if name.isascii() else "".join(_words(name))
    )


def runs(name: str) -> frozenset[str]:
    """Return the readings of all neighbouring words, at most twelve together."""
    parts = _words(name)
    return frozenset(
        _joined_pairs("".join(parts[start : start + length]))
        for start in range(len(parts))
        for length in range(1, _LONGEST_RUN + 1)
    )


@lru_cache(maxsize=4096)
def plain_host(host: str) -> str:
    """Return a host in small letters without port, final dot and www."""
    name, bracket, _ = host[:_LONGEST_HOST].lower().partition("]")
    if bracket:
        return name + bracket
    return name.partition(":")[0].rstrip(".").removeprefix("www.")


def decoded(host: str) -> str:
    """Return a host with its A-labels in letters, those that are none as they are (RFC 5891)."""
    return ".".join(map(_decoded_label, host.split("."))) if "xn--" in host else host


def host_reading(host: str) -> str:
    """Return a host as a hasty reader sees it."""
    return reading(decoded(host))


def overlooked(length: int) -> int:
    """Return how many edits a hasty reader overlooks in so many letters."""
    return 2 if length >= 9 else int(length >= 5)


def are_near(first: str, second: str) -> bool:
    """Tell whether a hasty reader takes one reading for the other."""
    return are_within(first, second, overlooked(min(len(first), len(second))))


def are_within(first: str, second: str, edits: int) -> bool:
    """Tell whether so few edits lead from one text to the other; swapping neighbours is one."""
    if abs(len(first) - len(second)) > edits:
        return False
    return len({*first} ^ {*second}) <= 2 * edits and _are_within(first, second, edits)


def _are_within(first: str, second: str, edits: int) -> bool:
    """Try each edit where the texts first part; what they share before is never worth one."""
    if first == second:
        return True
    if edits < 1 or abs(len(first) - len(second)) > edits:
        return False
    pairs = enumerate(zip(first, second, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))
    one, two = first[same:], second[same:]
    swapped = len(one) > 1 and one[:2] == two[1::-1]
    return (
        _are_within(one[1:], two[1:], edits - 1)
        or _are_within(one[1:], two, edits - 1)
        or _are_within(one, two[1:], edits - 1)
        or (swapped and _are_within(one[2:], two[2:], edits - 1))
    )


def _decoded_label(label: str) -> str:
    try:
        return idna.ulabel(label)
    except ValueError:
        return label
