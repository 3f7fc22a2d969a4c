"""Authorization endpoint (RFC 6749 section 3.1)."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import browser_session, clock, provider_uses, security
from app.config import current_settings
from app.domain import authorization_codes, consents, errors, fapi, id_tokens, pushed_requests
from app.domain.client_records import ClientRecord, Standing
from app.domain.users import User
from app.extensions import db
from app.protocol import (
    asking,
    authorization_request,
    client_documents,
    consent,
    identity,
    parameters,
    people,
    waiting,
)
from app.protocol.answers import send
from app.protocol.authorization_request import AuthorizationRequest, LocalRefusal
from app.protocol.parameters import Parameters

bp = Blueprint("authorize", __name__)
OTHER_ACCOUNT = "The app asks for another account than the one that is signed in."
BY_PASSWORD = "The app asks for a sign-in with your password."


@bp.get("/authorize")
def authorize() -> Response | str:
    """Sign the person in, ask for consent, and send the code to the client."""
    asked = asking.read()
    client_documents.bring_up_to_date(asked.get("client_id"))
    if asked.get("request") is not None:
        return show_kept(asked)
    origin = authorization_request.prove_origin(asked)
    if origin.standing is Standing.PENDING:
        return waiting.show(origin, asked)
    if "HX-Request" in request.headers:
        return waiting.refresh()
    wanted = authorization_request.read(origin, asked)

    user = people.signed_in()
    if user is None or must_sign_in_again(wanted, user):
        return ask_to_sign_in(wanted, asked)
    check_known(wanted, user)
    if not is_covered(wanted, user):
        if "none" in wanted.prompt:
            raise wanted.refuse(
                errors.ConsentRequired("The person has not consented in this browser session.")
            )
        return consent.show(wanted, user)

    return issue_code(wanted, user)


def show_kept(sent: Parameters) -> Response:
    """Keep a signed request and go on with what stands for it."""
    query = authorization_request.canonical(asking.keep_signed(sent))
    db.session.commit()
    return redirect(f"{url_for('authorize.authorize')}?{query}", 303)


@bp.post("/authorize")
def authorize_by_post() -> Response:
    """Take the request as a form (OpenID Connect Core section 3.1.2.1) and go on with GET."""
    asked = parameters.read_form()
    asking.check_length(asked)
    query = authorization_request.canonical(asked)
    return redirect(f"{url_for('authorize.authorize')}?{query}", 303)


def must_sign_in_again(wanted: AuthorizationRequest, user: User) -> bool:
    """Tell whether the request demands a fresher sign-in than this session's, or somebody else."""
    age = clock.epoch() - browser_session.current().auth_time
    too_old = wanted.max_age is not None and age > wanted.max_age
    prompted = bool(wanted.prompt & asking.SIGN_IN_PROMPTS)
    return too_old or prompted or is_stranger(wanted, user) or lacks_password(wanted, user)


def is_stranger(wanted: AuthorizationRequest, user: User | None) -> bool:
    """Tell whether somebody is signed in who is not whom the request names."""
    if user is None or wanted.subject is None:
        return False
    return wanted.subject != identity.subject(wanted.client, user.id)


def lacks_password(wanted: AuthorizationRequest, user: User | None) -> bool:
    """Tell whether a context class is essential that this session, without a password, has not."""
    essential, methods = wanted.claims.acr_values, browser_session.current().methods
    return bool(user and essential and id_tokens.context_of(methods) not in essential)


def check_known(wanted: AuthorizationRequest, user: User) -> None:
    """Refuse people who are new to an app that takes no newcomers."""
    if not people.is_welcome(user.id, wanted.client):
        raise wanted.refuse(errors.AccessDenied(people.UNWELCOME))


def ask_to_sign_in(wanted: AuthorizationRequest, asked: Parameters) -> str:
    """Show the sign-in page, which comes back to this request."""
    if "none" in wanted.prompt:
        raise wanted.refuse(errors.LoginRequired("Nobody is signed in here who would do."))
    again = authorization_request.canonical(asking.after_sign_in(asked))
    security.allow_form_target(wanted.origin.redirect_uri)
    client = people.describe(wanted.client, wanted.origin.redirect_uri)
    return render_template(
        "protocol/sign_in.html",
        action=url_for("login.sign_in"),
        next=f"{url_for('authorize.authorize')}?{again}",
        username=browser_session.current().pop("typed", "") or asked.get("login_hint") or "",
        error=browser_session.current().pop("error", None) or why_again(wanted),
        throttled=browser_session.current().pop("throttled", None),
        again=False,
        flow=client,
        providers=provider_uses.offered(),
    )


def why_again(wanted: AuthorizationRequest) -> str | None:
    """Say why somebody who is signed in would not do."""
    user = people.signed_in()
    if is_stranger(wanted, user):
        return OTHER_ACCOUNT
    return BY_PASSWORD if lacks_password(wanted, user) else None


def is_covered(wanted: AuthorizationRequest, user: User) -> bool:
    """Tell whether no question is needed: an earlier consent counts.

    Where others could pass for the client it counts only in the browser session it was given in.
    """
    if "consent" in wanted.prompt:
        return False
    return consents.covers(
        user_id=user.id,
        client_id=wanted.client.client_id,
        session_id=None if is_unmistakable(wanted) else browser_session.current().session_id or "",
        redirect_uri=wanted.origin.redirect_uri,
        scopes=wanted.consented_scopes,
        resources=wanted.target.audience,
    )


def is_unmistakable(wanted: AuthorizationRequest) -> bool:
    """Tell whether an operator made the client and nobody else can pass for it.

    A secret or an https address of its own prevents that (RFC 8252 section 8.6).
    """
    client, is_web = wanted.client, wanted.origin.redirect_uri.startswith("https://")
    return client.source == "console" and (is_web or not client.is_public)


def issue_code(wanted: AuthorizationRequest, user: User) -> Response:
    """Issue a code and send it to the client."""
    spend(wanted)
    code = authorization_codes.issue(
        client_id=wanted.client.client_id,
        user_id=user.id,
        session_id=browser_session.current().session_id,
        redirect_uri=wanted.origin.redirect_uri,
        code_challenge=wanted.code_challenge,
        scopes=wanted.scopes,
        resources=wanted.target.audience,
        nonce=wanted.nonce,
        claims=wanted.claims.kept(),
        auth_time=browser_session.current().auth_time,
        dpop_jkt=wanted.dpop_jkt,
        lifetime_seconds=code_seconds(wanted.client),
        by=people.user_actor(user),
    )
    db.session.commit()
    return send(wanted.origin, code=code)


def code_seconds(client: ClientRecord) -> int:
    """Return how long a code of a client lives."""
    seconds = current_settings().code_seconds
    return min(seconds, fapi.CODE_SECONDS) if client.fapi2 else seconds


def spend(wanted: AuthorizationRequest) -> None:
    """Use a pushed request up; raises LocalRefusal when it was answered already."""
    if wanted.reference is None:
        return
    try:
        pushed_requests.spend(wanted.reference)
    except errors.InvalidRequestURI as refusal:
        raise LocalRefusal(refusal, wanted.client) from None


@bp.post("/consent")
def decide() -> Response:
    """Take the person's answer to exactly the question that was shown."""
    asked = asking.read()
    origin = authorization_request.prove_origin(asked)
    if origin.standing is Standing.PENDING:
        return redirect(f"{url_for('authorize.authorize')}?{request.query_string.decode()}", 303)
    wanted = authorization_request.read(origin, asked)
    user = people.signed_in()
    if user is None:
        return redirect(f"{url_for('authorize.authorize')}?{wanted.canonical}", 303)

    check_known(wanted, user)
    allowed = consent.take_answer(wanted, user)
    if not allowed:
        spend(wanted)
        raise wanted.refuse(errors.AccessDenied("The person did not allow the access."))
    return issue_code(wanted, user)
