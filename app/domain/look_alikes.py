"""Owns the search for look-alikes: names and hosts that pass for those of somebody else."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from app.domain import redirect_uris, skeletons
from app.domain.known_clients import KNOWN_CLIENTS

KINDS = {
    "name_reads_alike": (
        90,
        "Its name reads like a known name but is written otherwise; compare them letter by letter.",
    ),
    "name_nearly_alike": (
        70,
        "Its name is a letter or two away from a known name; check whether that is chance.",
    ),
    "name_elsewhere": (
        80,
        "It bears a known name but calls back to a host that is not known to belong to it; "
        "ask the vendor whether the callback is theirs.",
    ),
    "name_on_computer": (
        60,
        "It bears a known name but calls back to a person's own computer, where its namesake does "
        "not run; ask who publishes it.",
    ),
    "name_borrowed": (
        60,
        "Its name contains a known name but its callback is on a host of somebody else; "
        "check who publishes it.",
    ),
    "host_reads_alike": (
        90,
        "A redirect host reads like a known host but is another; compare them letter by letter.",
    ),
    "host_holds_another": (
        90,
        "A redirect host contains a known host but belongs to the owner of its last labels; "
        "check who that is.",
    ),
    "host_nearly_alike": (
        85,
        "A redirect host is a letter or two away from a known host; check who registered it.",
    ),
}
"""By kind of finding, its score and what people read."""

LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an arrival may be mistaken for something else; ``resembles`` says for what."""

    score: int
    kind: str
    reason: str
    resembles: str


class Bearer(NamedTuple):
    """Who may bear a name, and the hosts where its bearer is at home."""

    name: str
    spelling: str
    reading: str
    hosts: frozenset[str]
    on_computer: bool
    kind: Literal["approved", "known", "brand"]


class Arrival(NamedTuple):
    """A name with and without its remark in parentheses, and redirect hosts."""

    spellings: frozenset[str]
    letters: frozenset[str]
    readings: frozenset[str]
    runs: frozenset[str]
    hosts: dict[str, frozenset[str]]
    """Each with itself and the domains it is part of."""
    on_computer: bool


def find(
    name: str,
    hosts: Sequence[str],
    *,
    approved: Iterable[tuple[str, Collection[str]]],
    brands: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """Return what is suspicious in a name and redirect hosts, at most one finding of each kind.

    Hosts are those of ``redirect_uris.host_of``; ``approved`` are names and hosts of approved
    software; ``brands`` are words that belong to the operator.
    """
    arrival = _arrival(name, hosts)
    bearers = [_bearer(each, at, "approved") for each, at in approved]
    bearers += _known_bearers()
    if any(_is_itself(arrival, bearer) for bearer in bearers):
        return ()
    known_hosts = frozenset[str]().union(*(bearer.hosts for bearer in bearers))
    bearers += [_bearer(brand, known_hosts, "brand") for brand in brands]
    found = [
        *((kind, bearer.name) for bearer in bearers if (kind := _of_name(arrival, bearer))),
        *_of_hosts(arrival, known_hosts),
    ]
    return _one_of_each_kind(found)


def score(findings: Iterable[Finding]) -> int:
    """Return the highest score, 0 when nothing was found."""
    return max((finding.score for finding in findings), default=0)


def _one_of_each_kind(found: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """Return the worst first; of one kind what comes first in the alphabet."""
    worst = sorted(dict(sorted(found, reverse=True)).items(), key=lambda each: -KINDS[each[0]][0])
    return tuple(Finding(KINDS[kind][0], kind, KINDS[kind][1], name) for kind, name in worst)


def _arrival(name: str, hosts: Iterable[str]) -> Arrival:
    name = name[:LONGEST_NAME]
    forms = (name, name.partition("(")[0])
    spellings = frozenset(map(skeletons.spelling, forms)) - {""}
    elsewhere, on_computer = _plain(hosts)
    return Arrival(
        spellings,
        frozenset(map(skeletons.letters, spellings)),
        frozenset(map(skeletons.reading, forms)) - {""},
        skeletons.runs(name),
        {host: _domains(host) for host in sorted(elsewhere)},
        on_computer,
    )


def _bearer(name: str, hosts: Iterable[str], kind: Literal["approved", "known", "brand"]) -> Bearer:
    name = name[:LONGEST_NAME]
    return Bearer(name, skeletons.spelling(name), skeletons.reading(name), *_plain(hosts), kind)


def _plain(hosts: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Return the hosts elsewhere, and whether the end-user's own machine is among the hosts."""
    plain = frozenset(map(skeletons.plain_host, hosts)) - {""}
    elsewhere = plain.difference(redirect_uris.LOOPBACK_HOSTS)
    return elsewhere, elsewhere != plain


def _domains(host: str) -> frozenset[str]:
    labels = host.split(".")
    return frozenset(".".join(labels[start:]) for start in range(len(labels)))


@lru_cache
def _known_bearers() -> tuple[Bearer, ...]:
    """Return whose names are known to everybody: those of real clients and of their vendors."""
    homes: dict[str, set[str]] = {}
    for client in KNOWN_CLIENTS:
        hosts = {*client.hosts, *map(redirect_uris.host_of, client.redirect_uris)}
        hosts |= {"localhost"} if client.on_computer else set()
        for name in {*client.names, client.vendor} - {""}:
            homes.setdefault(name, set()).update(hosts)
    return tuple(_bearer(name, hosts, "known") for name, hosts in sorted(homes.items()))


def _is_itself(arrival: Arrival, bearer: Bearer) -> bool:
    named = bearer.spelling in arrival.spellings
    return named and _of_same_name(arrival, bearer) is None


def _strangers(arrival: Arrival, bearer: Bearer) -> bool:
    return any(map(bearer.hosts.isdisjoint, arrival.hosts.values()))


def _of_name(arrival: Arrival, bearer: Bearer) -> str | None:
    """Return in which way an arrival may be taken for the bearer of a name."""
    if bearer.spelling in arrival.spellings:
        return _of_same_name(arrival, bearer)
    if bearer.reading in arrival.readings:
        same_letters = skeletons.letters(bearer.spelling) in arrival.letters
        return None if same_letters and _is_at_home(arrival, bearer) else "name_reads_alike"
    if any(skeletons.are_near(each, bearer.reading) for each in arrival.readings):
        return None if _is_at_home(arrival, bearer) else "name_nearly_alike"
    if bearer.kind != "approved" and bearer.reading in arrival.runs:
        unproven = bearer.kind == "brand" and arrival.on_computer
        return "name_borrowed" if unproven or _strangers(arrival, bearer) else None
    return None


def _is_at_home(arrival: Arrival, bearer: Bearer) -> bool:
    """Tell whether only hosts of the bearer get codes; a person's own computer proves nothing."""
    return bool(arrival.hosts) and not arrival.on_computer and not _strangers(arrival, bearer)


def _of_same_name(arrival: Arrival, bearer: Bearer) -> str | None:
    if _strangers(arrival, bearer):
        return "name_elsewhere"
    return "name_on_computer" if arrival.on_computer and not bearer.on_computer else None


def _of_hosts(arrival: Arrival, known_hosts: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield in which way each host that nobody knows may be taken for a known one."""
    unknown = [
        host
        for host, domains in arrival.hosts.items()
        if _is_domain_name(host) and domains.isdisjoint(known_hosts)
    ]
    if not unknown:
        return
    known = {
        skeletons.host_reading(each): each for each in sorted(known_hosts) if _is_domain_name(each)
    }
    for host in unknown:
        seen = skeletons.decoded(host)
        own = skeletons.reading(seen)
        if own in known:
            yield "host_reads_alike", known[own]
        held = skeletons.runs(seen) & known.keys() - {own}
        yield from (("host_holds_another", known[each]) for each in held if len(each) >= 5)
        if near := next(_near_hosts(host, own, known), None):
            yield "host_nearly_alike", near


def _near_hosts(host: str, own: str, known: Mapping[str, str]) -> Iterator[str]:
    for reading, other in known.items():
        edits = skeletons.overlooked(min(host.rindex("."), other.rindex(".")))
        near = own != reading and skeletons.are_within(own, reading, edits)
        if near and not _is_sibling(host, other):
            yield other


def _is_sibling(host: str, other: str) -> bool:
    """Tell whether two hosts share the domain of one owner; a short one such as co.uk has many."""
    first, second = host.split(".")[-2:], other.split(".")[-2:]
    return first == second and len(first[0]) > 3


def _is_domain_name(host: str) -> bool:
    """Leave out IP addresses and private-use schemes of one word."""
    return "." in host and not host.startswith("[") and not host[-1].isdecimal()
