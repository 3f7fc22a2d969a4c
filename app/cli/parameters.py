"""Owns the types of option values: plain texts, spans of time, and repeated lists."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from app.domain import errors, rule_lines

SPAN = re.compile(r"([1-9][0-9]{0,9})([smhdw]?)\Z")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
LONGEST = 100 * 365 * 86400


class Text(click.ParamType[str]):
    """A text of one line that every database can keep."""

    name = "text"

    def __init__(self, longest: int, shortest: int = 1) -> None:
        """Remember how many characters are accepted."""
        self.longest, self.shortest = longest, shortest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is too short, too long or not printable."""
        text = str(value).strip()
        if not self.shortest <= len(text) <= self.longest or not text.isprintable():
            self.fail(
                f"must be {self.shortest} to {self.longest} printable characters.", param, ctx
            )
        return text


class Span(click.ParamType[int]):
    """A span of time such as ``90s``, ``15m``, ``12h``, ``7d`` or ``2w``; seconds as a value."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds."""
        found = SPAN.match(str(value))
        seconds = int(found[1]) * SECONDS[found[2]] if found else 0
        if not 0 < seconds <= LONGEST:
            self.fail("must be a span of time such as 30m, 12h or 7d.", param, ctx)
        return seconds


class Network(click.ParamType[str]):
    """A network in CIDR notation, in one spelling; a bare address is a network of one."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is no network."""
        try:
            return rule_lines.network(str(value))
        except errors.InvalidRequest:
            self.fail("must be a network such as 192.0.2.0/24 or 2001:db8::/32.", param, ctx)


NAME = Text(100)
TITLE = Text(200)
REMARK = Text(200, shortest=0)
WORDS = Text(500)
REASON = Text(1000, shortest=0)
FILTER = Text(2048, shortest=0)
ADDRESS = Text(2048)
SPAN_OF_TIME = Span()
NETWORK = Network()
FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
"""A file that is read; a dash stands for standard input."""


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct names in repeated options, each of which may hold several."""
    return tuple(dict.fromkeys(name for value in values for name in value.split()))


def content_of(file: Path, longest: int) -> bytes:
    """Return what is in a file, at most one byte more than the longest that is of use."""
    with click.open_file(str(file), "rb") as stream:
        content: bytes = stream.read(longest + 1)
    return content


def secret_of_stdin(longest: int) -> str:
    """Return a secret from standard input; never from the arguments, which others can see."""
    return sys.stdin.read(longest).removesuffix("\n").removesuffix("\r")
