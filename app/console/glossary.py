"""Owns the glossary: what the words of OAuth mean, for people who do not use them every day."""

from flask import g

TERMS = {
    "access token": "What a client shows to a resource. It lives for minutes and cannot be renewed"
    " without a refresh token.",
    "client": "An app or a service that is registered here and may ask for tokens.",
    "client_id": "The name by which a client is known. Anybody may see it.",
    "client metadata": "What a client says of itself when it registers: its name, its redirect"
    " URIs, the scopes it wants (RFC 7591).",
    "client secret": "What a client proves itself with, like a password. Only a digest is kept"
    " here.",
    "connection": "A login that this server holds at somebody else's server.",
    "grant type": "How a client gets tokens: through a person, for itself, or by refreshing.",
    "initial access token": "What allows somebody to register a client while that is not open to"
    " everybody.",
    "introspection": "Asking this server whether a token still counts, and for what (RFC 7662).",
    "issuer": "The address by which an authorization server is known. It stands in every token.",
    "policy": "The rules that judge a registration before a person does: let in, hold or refuse.",
    "proof of a client": "How a client shows that it is itself: by words that only it and this"
    " server know, by a signature, or not at all.",
    "redirect URI": "Where people are sent back with their code. It has to match exactly.",
    "refresh token": "What a client exchanges for its next access token. Each is used once.",
    "registration": "What an app sends to become a client, without anybody typing it in"
    " (RFC 7591).",
    "registration gate": "A service of yours that is asked about every registration.",
    "resource": "An API that accepts tokens of this server, known by its URI (RFC 8707).",
    "scope": "One thing that a token allows, such as reading or sending.",
    "signing key": "What tokens are signed with. Resources fetch its public half by its kid.",
    "software": "What you decide about. Each installation that registers is a client of its own.",
    "statement issuer": "Somebody whose signed word about an app this server believes"
    " (RFC 7591, software statement).",
    "token endpoint": "Where clients exchange a code or their own proof for tokens.",
    "webhook": "A URL of yours that is told of what happens here, with a signature.",
}
LABELS = {
    "access tokens": "access token",
    "access tokens live, in seconds": "access token",
    "clients": "client",
    "client id": "client_id",
    "new client secret": "client secret",
    "connections": "connection",
    "grant_types": "grant type",
    "grants": "grant type",
    "initial access tokens": "initial access token",
    "introspects": "introspection",
    "lifetime of access tokens, in seconds": "access token",
    "new client": "client",
    "new initial access token": "initial access token",
    "only for these resources": "resource",
    "only these scopes": "scope",
    "or only these resources": "resource",
    "or only these scopes": "scope",
    "policies": "policy",
    "proves itself": "proof of a client",
    "proves itself by": "proof of a client",
    "redirect uri": "redirect URI",
    "redirect uris": "redirect URI",
    "redirect_uris": "redirect URI",
    "registrations": "registration",
    "resources": "resource",
    "scopes": "scope",
    "scopes it may ask for": "scope",
    "scopes it understands": "scope",
    "signing keys": "signing key",
    "statement issuers": "statement issuer",
    "the access token": "access token",
    "token_endpoint_auth_method": "proof of a client",
    "tokens it may introspect": "introspection",
    "webhooks": "webhook",
}
"""The term of a heading or label that does not read like it, in small letters."""


def explain(label: str) -> tuple[str, str] | None:
    """Return the term and the sentence of a heading or label, the first time a page has it."""
    words = str(label).lower()
    term = LABELS.get(words, words)
    told: set[str] = g.setdefault("glossary", set())
    if term not in TERMS or term in told:
        return None
    told.add(term)
    return term, TERMS[term]
