"""Owns upstream discovery: from the URL of an MCP server or API to its authorization server.

Nothing found is followed further than two documents, and nothing is sent but plain questions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from app.outbound import challenges, upstream_metadata, well_known
from app.outbound.challenges import Challenge
from app.outbound.client import Outbound
from app.outbound.upstream_metadata import ResourceMetadata, ServerMetadata
from app.outbound.walks import By, Step, Walk

SECONDS = 15
"""For the whole of a discovery."""
SERVERS_TRIED = 3
"""Of the authorization servers that a resource names; with three places each."""

INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    b'"capabilities":{},"clientInfo":{"name":"gatewright","version":"1"}}}'
)
"""What MCP clients begin with; some servers ask for authorization only then."""

OPEN = "It answered without asking for authorization."
NOTHING = "There is nothing at this URL, so it does not ask for authorization."
REFUSED = "It refused the request, and not by asking for authorization."
BROKEN = "It failed, and may ask for authorization when it works."
ASKS = "It asks for authorization and does not say where its metadata is."
TELLS = "It asks for authorization and says where its metadata is."
FOREIGN = "It says that its metadata is at another origin; nothing there was asked."
RESOURCE_FOUND = "The document describes this resource."
OWN_ISSUER = (
    "There is no metadata of the resource; its own origin is taken for the issuer, as in the first"
    " revision of MCP authorization."
)
PROVIDER_FOUND = "The document describes this issuer and everything to sign in with is there."
SERVER_FOUND = "The document describes this issuer and everything needed is there."
FOREIGN_REGISTRATION = "The registration endpoint is at another origin; it is not used."
NO_ISSUER = "The issuer is neither an https URL nor an allowed one of this machine."


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found from a URL, and how; without ``server`` the steps say why."""

    url: str
    steps: tuple[Step, ...]
    server: ServerMetadata | None = None
    resource: ResourceMetadata | None = None
    challenge: Challenge | None = None

    @property
    def obstacle(self) -> str:
        """Return why nothing was found: of the last document that was read, else the last step."""
        read = [step for step in self.steps if step.status == 200] or self.steps
        return read[-1].conclusion if self.server is None else ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return what to ask for: what the challenge wants, else all that the resource knows."""
        if self.challenge and self.challenge.scopes:
            return self.challenge.scopes
        return self.resource.scopes_supported if self.resource else ()


def discover(
    outbound: Outbound, url: str, *, by: By = "stranger", seconds: float = SECONDS
) -> Discovery:
    """Find the authorization server of an MCP server or API (RFC 9728, RFC 8414).

    ``by`` is how the origin of the URL is asked; whatever is found elsewhere is a stranger's.
    """
    walk = Walk(outbound, url, by, seconds)
    challenge = find_challenge(walk)
    if walk.away:
        return Discovery(url, tuple(walk.steps))

    where = challenge.resource_metadata if challenge else ""
    read = partial(upstream_metadata.read_resource, url=url, is_protected=walk.is_protected)
    found = walk.first(resource_places(walk, where), read, RESOURCE_FOUND)
    resource = found if isinstance(found, ResourceMetadata) else None
    issuers = resource.authorization_servers if resource else ()
    if found is None and not where and not walk.away:
        issuers = (well_known.origin(url),)
        walk.note(OWN_ISSUER, named=issuers[0])

    server = find_server(walk, issuers, for_codes=True)
    return Discovery(url, tuple(walk.steps), server, resource, challenge)


def discover_issuer(
    outbound: Outbound, issuer: str, *, by: By = "stranger", seconds: float = SECONDS
) -> Discovery:
    """Find the token endpoint of an issuer at which only this server itself will get tokens."""
    walk = Walk(outbound, issuer, by, seconds)
    if not walk.is_protected(issuer):
        walk.note(NO_ISSUER, named=upstream_metadata.shown(issuer))
        return Discovery(issuer, tuple(walk.steps))
    server = find_server(walk, [issuer], for_codes=False)
    return Discovery(issuer, tuple(walk.steps), server)


def discover_provider(outbound: Outbound, issuer: str, *, seconds: float = SECONDS) -> Discovery:
    """Find the endpoints of an issuer at which people sign in (OpenID Connect Discovery)."""
    walk = Walk(outbound, issuer, "stranger", seconds)
    if not walk.is_protected(issuer):
        walk.note(NO_ISSUER, named=upstream_metadata.shown(issuer))
        return Discovery(issuer, tuple(walk.steps))
    read = partial(upstream_metadata.read_provider, issuer=issuer, is_protected=walk.is_protected)
    found = walk.first(reversed(well_known.server_places(issuer)), read, PROVIDER_FOUND)
    server = found if isinstance(found, ServerMetadata) else None
    return Discovery(issuer, tuple(walk.steps), server)


def find_challenge(walk: Walk) -> Challenge | None:
    """Return how the URL asks for authorization, None when it does not."""
    for method, content in (("GET", None), ("POST", INITIALIZE)):
        answer = walk.ask(method, walk.home, content)
        if answer is None:
            continue
        if answer.status == 401:
            found = challenges.bearer(answer.headers.get("www-authenticate", ""))
            sentence = TELLS if found.resource_metadata else ASKS
            walk.answered(method, walk.home, answer.status, sentence)
            return found
        walk.answered(method, walk.home, answer.status, unasked(answer.status))
    return None


def unasked(status: int) -> str:
    """Say what an answer means that does not ask for authorization."""
    if status in (404, 410):
        return NOTHING
    if status >= 500:
        return BROKEN
    return REFUSED if status >= 400 else OPEN


def resource_places(walk: Walk, where: str) -> Iterable[str]:
    """Return where to look for metadata of the resource, first where the challenge says."""
    known = well_known.resource_places(walk.home)
    if not where:
        return known
    if not well_known.same_origin(where, walk.home):
        walk.note(FOREIGN, well_known.origin(walk.home), upstream_metadata.shown(where))
        return ()
    return dict.fromkeys((where, *known))


def find_server(walk: Walk, issuers: Iterable[str], *, for_codes: bool) -> ServerMetadata | None:
    """Return the metadata of the first issuer that can be used."""
    for issuer in tuple(issuers)[:SERVERS_TRIED]:
        read = partial(
            upstream_metadata.read_server,
            issuer=issuer,
            is_protected=walk.is_protected,
            for_codes=for_codes,
        )
        found = walk.first(well_known.server_places(issuer), read, SERVER_FOUND)
        if isinstance(found, ServerMetadata):
            return without_foreign_registration(walk, found)
    return None


def without_foreign_registration(walk: Walk, server: ServerMetadata) -> ServerMetadata:
    """Leave out a registration endpoint that is not at the origin of the issuer."""
    endpoint = server.registration_endpoint
    if not endpoint or well_known.same_origin(endpoint, server.issuer):
        return server
    home = well_known.origin(server.issuer)
    walk.note(FOREIGN_REGISTRATION, home, upstream_metadata.shown(endpoint))
    return replace(server, registration_endpoint="")
