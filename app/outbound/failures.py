"""Owns what a failure at another server means to an operator, and what to do about it."""

from typing import NamedTuple

from app.outbound import token_requests
from app.outbound.client import Answer
from app.outbound.errors import OutboundError, Reason


class Failure(NamedTuple):
    """What went wrong in one sentence, and what to do in another."""

    sentence: str
    advice: str


REASONS: dict[Reason, Failure] = {
    "address": Failure(
        "The host has an address that is not public, or one that is never asked.",
        "For a server of your own network list its host:port in GATEWRIGHT_OUTBOUND_ALLOW.",
    ),
    "answer": Failure(
        "It answered something that cannot be read: no JSON object, or another status than 200.",
        "Check the URL: it has to be that of the endpoint and not of a page for people.",
    ),
    "busy": Failure(
        "This server is asking this host, or others, as often at once as it ever does.",
        "Try again in a moment; when that goes on, something there answers very slowly.",
    ),
    "credential": Failure(
        "It refused the credential.", "Rotate the credential here to the one that it knows."
    ),
    "dns": Failure(
        "The host has no address.",
        "Check the host for a misspelling, and that the DNS of this server knows it.",
    ),
    "encoding": Failure(
        "Its answer is compressed, although that was not asked for.",
        "Let the server, or the proxy before it, respect Accept-Encoding: identity.",
    ),
    "metadata": Failure(
        "The issuer publishes no metadata that can be used.",
        "See what each step found; or give the connection its token endpoint instead.",
    ),
    "network": Failure(
        "Nobody took the connection, or it broke off.",
        "Check that the server runs, its port, and the firewalls between it and this server.",
    ),
    "port": Failure(
        "The port is not the one of https, 443.",
        "For another port list the host:port in GATEWRIGHT_OUTBOUND_ALLOW.",
    ),
    "protocol": Failure(
        "What answered does not speak HTTP as it should.",
        "Check scheme and port: http sent to a port of https fails so.",
    ),
    "redirect": Failure(
        "It leads elsewhere; a redirect is never followed with a credential.",
        "Enter the URL that it leads to, if that is the right one.",
    ),
    "scheme": Failure(
        "The URL does not begin with https.",
        "Use https; for a server of your own list its host:port in GATEWRIGHT_OUTBOUND_ALLOW.",
    ),
    "size": Failure(
        "The answer is longer than any answer of such an endpoint.",
        "Check the URL: it has to be that of the endpoint and not of a page for people.",
    ),
    "timeout": Failure(
        "There was no whole answer in time.",
        "Check that the server is up; a firewall that drops packets looks the same.",
    ),
    "tls": Failure(
        "Its certificate is not accepted: expired, for another name, or of an unknown authority; or"
        " nothing there speaks TLS.",
        "Renew it there; for an authority of your own set GATEWRIGHT_OUTBOUND_CA_FILE. Check scheme"
        " and port too: https sent to a port of http fails so.",
    ),
    "token": Failure(
        "The token endpoint gave no token, or none could be asked for.",
        "Test the connection: its page, or gatewright connection test, shows what was answered.",
    ),
    "url": Failure(
        "The URL is none that can be asked.", "Enter scheme, host and path, and nothing unusual."
    ),
}
"""Each reason of the way out."""

ERRORS = {
    "invalid_client": Failure(
        "It does not know this client, or does not accept how it proves itself.",
        "Compare client_id and authentication method with what is registered there; a secret may"
        " have ended. A signed assertion also fails when the key is not registered there or the"
        " clocks differ.",
    ),
    "invalid_grant": Failure(
        "It refuses what the client redeemed, or its assertion.",
        "Have the operator of the other server look why; its log says more.",
    ),
    "invalid_request": Failure(
        "It finds a parameter missing, wrong or unexpected.",
        "Leave out scope or resource, if it does not know them; some servers demand one of them.",
    ),
    "invalid_scope": Failure(
        "It gives this client no such scope.",
        "Change the scope of the connection, or have it granted to the client there.",
    ),
    "invalid_target": Failure(
        "It gives this client no token for the resource.",
        "Change the resource of the connection, or have it granted to the client there.",
    ),
    "unauthorized_client": Failure(
        "This client may not ask for a token of its own there.",
        "Have the grant client_credentials allowed to the client at the other server.",
    ),
    "unsupported_grant_type": Failure(
        "It does not have the grant client_credentials.",
        "Check that the URL is that of the token endpoint; otherwise this kind of connection"
        " cannot be used there.",
    ),
    "access_denied": Failure(
        "Somebody or some rule there has not allowed it.",
        "Have the operator of the other server allow the client.",
    ),
    "temporarily_unavailable": Failure(
        "It is too busy at the moment.", "Try again later; Retry-After may say when."
    ),
    "server_error": Failure(
        "It has a defect of its own.", "Report it there, with the time of this test."
    ),
}
"""The errors of a token endpoint (RFC 6749 section 5.2, RFC 8707 section 2, and of others)."""

STATUSES = {
    401: ERRORS["invalid_client"],
    403: ERRORS["access_denied"],
    404: Failure(
        "There is nothing at this URL.", "Check the path of the token endpoint; tenants differ."
    ),
    405: Failure("Nothing is taken there by POST.", "Check that this is the token endpoint."),
    429: ERRORS["temporarily_unavailable"],
    503: ERRORS["temporarily_unavailable"],
}
"""What a status means that comes without a known error."""

REFUSED = Failure(
    "It refuses and does not say why in words of OAuth.",
    "Read its answer; the log of the other server says more.",
)
BROKEN = Failure(
    "The other server, or a proxy before it, failed.",
    "Try again later, and report it there when that goes on.",
)
NO_TOKEN = Failure(
    "It says that all went well, but there is no bearer token in the answer.",
    "Check the URL: a page for people answers so. The answer must be a JSON object with an"
    " access_token, and token_type Bearer.",
)
NO_KEY = Failure(
    "This server has no key to sign with.", "The command gatewright doctor says what is missing."
)


def of_error(error: OutboundError) -> Failure:
    """Explain why there was no usable answer."""
    return ERRORS.get(error.error, REASONS[error.reason])


def of_token_answer(answer: Answer) -> Failure:
    """Explain an answer of a token endpoint that gave no token."""
    code = token_requests.error_of(answer)
    if code in ERRORS:
        return ERRORS[code]
    if answer.status == 200:
        return NO_TOKEN
    if 300 <= answer.status < 400:
        return REASONS["redirect"]
    return STATUSES.get(answer.status, BROKEN if answer.status >= 500 else REFUSED)
