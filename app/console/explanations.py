"""Owns what an error means for a client now: a sentence, what stands in the way, where to go."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for

from app import clock
from app.config import current_settings
from app.console.client_page import MEANINGS as STANDINGS
from app.domain import generations, resources, scopes
from app.domain.client_records import ClientRecord, Standing

MEANINGS = {
    "invalid_client": "The client did not prove who it is: it is stopped or deleted, or its secret,"
    " assertion or method is wrong. Type the secret again; a lost one can only be rotated.",
    "unauthorized_client": "The client may not do this. It is not registered for the grant, or it"
    " is not active.",
    "invalid_grant": "The code or token counts no more: it was used or revoked, it has expired, or"
    " it belongs to another client, redirect URI or verifier. Get a new one.",
    "invalid_scope": "None of the scopes can be granted, or not all of them where all are needed:"
    " they are unknown, or beyond what the client or the resource takes. Ask for less.",
    "invalid_target": "No tokens are issued for this resource, or none to this client. Choose"
    " another one, or let its software be approved for it.",
    "access_denied": "Somebody has to allow this first, or did not: whoever decides about the"
    " software, the rules of registration, or the person on the consent page.",
    "temporarily_unavailable": "A rate limit is used up, or a part of the server is away. Wait as"
    " long as Retry-After says; the same limits count here as for everybody else.",
    "unsupported_grant_type": "This server does not have the grant at all. Its metadata document"
    " lists those it has.",
    "invalid_request": "A parameter is missing, sent twice or not as the specification wants it."
    " The description names the rule.",
    "invalid_token": "The initial access token is missing, wrong, used up or expired. An"
    " administrator makes a new one.",
    "invalid_client_metadata": "A member of the metadata breaks a rule. The description names it.",
    "invalid_redirect_uri": "A redirect URI breaks a rule. The description says which rule.",
    "invalid_software_statement": "The software statement does not verify. It has to be signed"
    " anew.",
    "unapproved_software_statement": "No trusted issuer stands behind the software statement.",
    "login_required": "The request did not allow a sign-in, and nobody was signed in.",
    "consent_required": "The request did not allow a question, and there is no consent yet.",
    "invalid_dpop_proof": "The DPoP proof is missing or does not hold. The description names the"
    " rule; here no proofs are made.",
    "server_error": "This is a defect of the server. Quote the request id when you report it.",
}
GRANTS = ("client_credentials", "authorization_code", "refresh_token")
OTHER = "The server refused; the description says why."


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stops a client now, and the page where it can be changed."""

    sentence: str
    label: str
    url: str


def meaning(error: str) -> str:
    """Return what an error means and what to do."""
    return MEANINGS.get(error, OTHER)


def obstacles(
    client: ClientRecord, kind: str, scope: str = "", resource: str = ""
) -> list[Obstacle]:
    """Return everything that stops a client from a kind of test, or from a part of what it asks.

    A refresh without a resource is for what was granted, whatever that was.
    """
    found = [*of_standing(client)]
    if kind == "introspect" and client.is_public:
        sentence = "A public client may not introspect: anybody could be it."
        found.append(Obstacle(sentence, "Look at the client", client_url(client)))
    if kind in GRANTS:
        found += of_grant(client, kind)
    if kind in GRANTS and (resource or kind != "refresh_token"):
        found += [*of_resource(client, resource), *of_scopes(client, kind, scope, resource)]
    return found


def of_standing(client: ClientRecord) -> Iterator[Obstacle]:
    """Yield why a client is not active."""
    standing = client.standing(clock.epoch())
    if standing in (Standing.SUSPENDED, Standing.DELETED):
        yield Obstacle(STANDINGS[standing.value], "Look at the client", client_url(client))
    elif standing is not Standing.ACTIVE:
        yield Obstacle(STANDINGS[standing.value], "Look at the software", software_url(client))


def of_grant(client: ClientRecord, grant: str) -> Iterator[Obstacle]:
    """Yield why a grant is not for a client."""
    if grant not in client.grant_types:
        sentence = f"The client is not registered for the grant {grant}."
        yield Obstacle(sentence, "Look at the client", client_url(client))


def of_resource(client: ClientRecord, resource: str) -> Iterator[Obstacle]:
    """Yield why a resource is not for a client."""
    wanted = resource or current_settings().resource
    if client.resources is not None and wanted not in client.resources:
        yield Obstacle(
            f"The client is not approved for {wanted}.",
            "Look at the software",
            software_url(client),
        )


def of_scopes(client: ClientRecord, grant: str, scope: str, resource: str) -> Iterator[Obstacle]:
    """Yield which scopes are beyond the client or the resource."""
    default = current_settings().resource
    known = resources.catalogue(generations.read()["clients"], default)
    target = known.targets.get(resource or default)
    taken = target.scopes if target is not None else frozenset[str]()
    asked = scope.split()
    beyond = [name for name in asked if name not in client.scopes]
    if beyond and client.standing(clock.epoch()) is not Standing.PENDING:
        sentence = f"Beyond the ceiling of the client: {' '.join(beyond)}."
        yield Obstacle(sentence, "Look at the software", software_url(client))
    elsewhere = [name for name in asked if name not in taken]
    if elsewhere:
        sentence = f"The resource takes no such scope: {' '.join(elsewhere)}."
        yield Obstacle(sentence, "Look at the resources", url_for("resources.list_resources"))
    alone = [name for name in asked if name in scopes.BUILT_IN]
    if alone and grant == "client_credentials":
        sentence = f"Only for a person who is there: {' '.join(alone)}."
        yield Obstacle(sentence, "Look at the scopes", url_for("scopes.list_scopes"))


def client_url(client: ClientRecord) -> str:
    """Return the address of the page of a client."""
    return url_for("clients_console.show_client", client_id=client.client_id)


def software_url(client: ClientRecord) -> str:
    """Return the address of the page where its software is decided about."""
    return url_for("registrations.show_registration", software_id=client.software_id)
