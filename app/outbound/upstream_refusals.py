"""Owns how upstreams say no: which error codes are known, and our sentences in place of theirs."""

from dataclasses import dataclass

from app.outbound import json_answers
from app.outbound.client import Answer

WANTS_TOKEN = (
    "The other server wants a token for this, or does not take the one it got; ask its operators"
    " for a new one."
)
LATER = "The other server cannot do this now; try again later."
UNKNOWN_CLIENT = (
    "The other server does not let this client in; ask its operators whether it waits for approval"
    " or was removed."
)
UNKNOWN = "The other server refused for a reason that is not known here; ask its operators."

SENTENCES = {
    "access_denied": (
        "The other server, or the person there, did not allow it; connect again, or ask its"
        " operators why."
    ),
    "invalid_client": UNKNOWN_CLIENT,
    "invalid_client_metadata": (
        "The other server does not take what this server says of itself; ask its operators what it"
        " expects."
    ),
    "invalid_redirect_uri": (
        "The other server does not take the redirect URI of this server; ask its operators to"
        " allow it."
    ),
    "invalid_scope": "The other server does not grant one of the scopes; ask for others.",
    "invalid_target": (
        "The other server gives no tokens for this resource; ask its operators how the resource is"
        " called there."
    ),
    "invalid_token": WANTS_TOKEN,
    "server_error": LATER,
    "temporarily_unavailable": LATER,
    "unauthorized_client": UNKNOWN_CLIENT,
}

OTHERS = """
    account_selection_required consent_required insufficient_scope interaction_required
    invalid_grant invalid_request invalid_software_statement login_required
    unapproved_software_statement unsupported_grant_type unsupported_response_type
    unsupported_token_type
"""
CODES = frozenset((*SENTENCES, *OTHERS.split()))
"""Of RFC 6749, 6750, 7009, 7591 and 8707, and of OpenID Connect."""

OF_STATUS = {401: WANTS_TOKEN, 403: WANTS_TOKEN, 429: LATER, 503: LATER}
"""What a status says that comes without a known code."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an upstream did not do what it was asked; nothing in it was written there."""

    sentence: str
    error: str = ""
    """The error code, if it is a known one."""
    status: int | None = None


def known(value: object) -> str:
    """Return an error code that is known, empty for anything else."""
    return value if isinstance(value, str) and value in CODES else ""


def of_code(value: object, status: int | None = None) -> Refused:
    """Return a refusal by its error code."""
    error = known(value)
    sentence = UNKNOWN if error or status is None else OF_STATUS.get(status, UNKNOWN)
    return Refused(SENTENCES.get(error, sentence), error, status)


def of_answer(answer: Answer) -> Refused:
    """Return what an answer refuses; of its body the error code alone is read."""
    return of_code(json_answers.members(answer).get("error"), answer.status)
