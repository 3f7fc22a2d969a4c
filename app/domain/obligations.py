"""Owns what admissions are bounded by, whoever bounds them, and how two bounds combine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

TokenVerdict = Literal["rules", "admit", "hold"]
TOKEN_VERDICTS: tuple[str, ...] = get_args(TokenVerdict)


@dataclass(frozen=True, slots=True)
class Obligations:
    """What an admission is bounded by; None does not bound."""

    scopes: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    access_token_seconds: int | None = None
    approve_days: int | None = None
    """After so many days the approval ends."""

    def within(self, other: "Obligations") -> "Obligations":
        """Return both bounds at once, which is never wider than either."""
        return Obligations(
            fewer(self.scopes, other.scopes),
            fewer(self.resources, other.resources),
            shortest(self.access_token_seconds, other.access_token_seconds),
            shortest(self.approve_days, other.approve_days),
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What an initial access token says about everything that registers with it."""

    verdict: TokenVerdict = "rules"
    """``admit`` lets in what no rule decides, ``hold`` leaves what rules admit to people."""
    bounds: Obligations = field(default=Obligations())

    def afterwards(self) -> "Terms":
        """Return what still holds when a client changes that came with the token long ago."""
        return replace(self, verdict="rules") if self.verdict == "admit" else self


UNBOUNDED = Obligations()
NO_TERMS = Terms()


def fewer(ceiling: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Intersect two ceilings of which None is the one that does not limit."""
    if ceiling is None or other is None:
        return other if ceiling is None else ceiling
    return tuple(name for name in ceiling if name in other)


def narrowed(ceiling: Collection[str] | None, own: Collection[str] | None) -> frozenset[str] | None:
    """Intersect two sets of names of which None is the one that does not limit."""
    if ceiling is None or own is None:
        limit = ceiling if own is None else own
        return None if limit is None else frozenset(limit)
    return frozenset(ceiling) & frozenset(own)


def shortest(*lengths: int | None) -> int | None:
    """Return the shortest of some spans of time of which None is the one that does not limit."""
    return min((each for each in lengths if each is not None), default=None)


def as_ceiling(names: list[str] | None) -> tuple[str, ...] | None:
    """Return a ceiling that was stored."""
    return None if names is None else tuple(names)


def terms_from_json(value: Mapping[str, Any] | None) -> Terms | None:
    """Return terms that were stored; members of another release are left out."""
    if value is None:
        return None
    known = {each.name for each in fields(Obligations)}
    bounds = {name: each for name, each in value["bounds"].items() if name in known}
    for name in ("scopes", "resources"):
        bounds[name] = as_ceiling(bounds.get(name))
    return Terms(value["verdict"], Obligations(**bounds))
