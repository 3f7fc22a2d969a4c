"""Owns the catalogue of protected resources that tokens can be issued for (RFC 8707)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, Integer, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, errors, generations, scopes
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, insert_once


class Resource(Base):
    """One protected resource; its URI is the ``aud`` of its tokens."""

    __tablename__ = "resources"

    uri: Mapped[str] = mapped_column(String(2048), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    """What can be granted for it."""
    access_token_seconds: Mapped[int | None] = mapped_column(Integer)
    """Overrides the lifetime of access tokens."""
    created_at: Mapped[int] = mapped_column(BigInteger)


def check_uri(uri: str) -> str:
    """Demand an absolute http(s) URI without fragment (RFC 8707 section 2)."""
    printable = all("!" <= character <= "~" for character in uri)
    try:
        parts = urlsplit(uri) if printable and len(uri) <= 2048 else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "#" in uri:
        raise errors.InvalidTarget("The resource must be an absolute https URI without a fragment.")
    return uri


def find_all() -> Sequence[Resource]:
    """Return the catalogue in alphabetical order."""
    return db.session.scalars(select(Resource).order_by(Resource.uri)).all()


def reached_by(names: Iterable[str]) -> tuple[str, ...]:
    """Return the resources for which one of these scopes at least can be granted."""
    wanted = set(names)
    return tuple(each.uri for each in find_all() if wanted & set(each.scopes))


def find(uri: str) -> Resource | None:
    """Return a resource by its URI; one trailing slash more or less on a bare host is the same."""
    return db.session.get(Resource, uri) or db.session.get(Resource, toggled_slash(uri))


def toggled_slash(uri: str) -> str:
    """Return the other spelling of a URI without a path."""
    parts = urlsplit(uri)
    if parts.path == "/" and not parts.query:
        return uri[:-1]
    return uri + "/" if not parts.path and not parts.query else uri


def create(
    uri: str,
    name: str,
    allowed: Iterable[str],
    *,
    by: Actor,
    access_token_seconds: int | None = None,
) -> Resource:
    """Add a resource to the catalogue; raises Conflict for a URI that is taken."""
    check_uri(uri)
    fresh = find(uri) is None and insert_once(
        Resource,
        uri=uri,
        name=name,
        scopes=list(allowed),
        access_token_seconds=access_token_seconds,
        created_at=clock.epoch(),
    )
    if not fresh:
        raise errors.Conflict("A resource with this URI exists already; edit that one.")
    resource = get(uri)
    audit.record(Tag.RESOURCE_CREATED, uri, by=by, after=facts(resource))
    generations.bump("clients")
    return resource


def update(
    uri: str,
    *,
    by: Actor,
    name: str,
    allowed: Iterable[str],
    access_token_seconds: int | None,
) -> Resource:
    """Change name, scopes or token lifetime of a resource."""
    resource = get(uri)
    before = facts(resource)
    resource.name, resource.scopes = name, list(allowed)
    resource.access_token_seconds = access_token_seconds
    audit.record(Tag.RESOURCE_UPDATED, uri, by=by, **audit.changes(before, facts(resource)))
    generations.bump("clients")
    return resource


def remove(uri: str, *, by: Actor) -> None:
    """Take a resource out of the catalogue; no token is issued for it any more."""
    resource = get(uri)
    db.session.execute(delete(Resource).where(Resource.uri == resource.uri))
    audit.record(Tag.RESOURCE_DELETED, uri, by=by, before=facts(resource))
    generations.bump("clients")


def get(uri: str) -> Resource:
    """Return one resource; raises NotFound."""
    resource = find(uri)
    if resource is None:
        raise errors.NotFound("There is no resource with this URI.")
    return resource


def facts(resource: Resource) -> dict[str, object]:
    """Return what the audit trail keeps of a resource."""
    return {
        "name": resource.name,
        "scopes": list(resource.scopes),
        "access_token_seconds": resource.access_token_seconds,
    }


@dataclass(frozen=True, slots=True)
class Target:
    """What a token is for: its audience, what may be granted there, and for how long."""

    audience: tuple[str, ...]
    scopes: frozenset[str]
    access_token_seconds: int | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All scopes and resources of one generation, for verbs that must not query."""

    scopes: frozenset[str]
    targets: Mapping[str, Target]


cache: generations.Cache[str, Catalogue] = generations.Cache(size=4)


def catalogue(generation: int, default_resource: str) -> Catalogue:
    """Return the catalogue; the default resource takes every scope unless it is described."""
    stamp = (db.engine, generation)
    return cache.get(default_resource, stamp, load_catalogue)


def load_catalogue(default_resource: str) -> Catalogue:
    """Read the catalogue."""
    names = frozenset(scope.name for scope in scopes.find_all())
    everywhere = names & frozenset(scopes.BUILT_IN)
    targets = {default_resource: Target((default_resource,), names, None)}
    for row in find_all():
        granted = names & frozenset(row.scopes) | everywhere
        targets[row.uri] = Target((row.uri,), granted, row.access_token_seconds)
    return Catalogue(names, targets)


def resolve(known: Catalogue, requested: Sequence[str], default_resource: str) -> Target:
    """Return the target of a request (RFC 8707 section 2); raises InvalidTarget."""
    found: dict[str, Target] = {}
    for uri in requested or (default_resource,):
        check_uri(uri)
        target = known.targets.get(uri) or known.targets.get(toggled_slash(uri))
        if target is None:
            raise errors.InvalidTarget(
                "This server issues no tokens for the requested resource;"
                " its operators can add the resource to the catalogue."
            )
        found[target.audience[0]] = target
    lifetimes = [target.access_token_seconds for target in found.values()]
    shortest = min((seconds for seconds in lifetimes if seconds), default=None)
    granted = frozenset[str]().union(*(target.scopes for target in found.values()))
    return Target(tuple(found), granted, shortest)
