"""Devices: of many polls one gets tokens, of many answers one counts (N-112, N-114, promise 1)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from app.domain import admissions, client_metadata, device_codes, sessions
from app.domain.audit import SERVER
from app.domain.grant_types import DEVICE
from app.extensions import db
from tests.races.cast import PASSWORD, Cast, Machine, spread
from tests.races.history import (
    History,
    alive_after_replay,
    check_valid,
    not_exactly_once,
    undecided,
)
from tests.races.wire import Browser, Reply, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
THREADS = 8
KEYS = "gatewright.keys"
Servers = Callable[..., tuple[str, str]]


@pytest.fixture
def device(cast: Cast) -> Machine:
    """Return a device with a secret, so that it may introspect its own tokens."""
    metadata = client_metadata.parse(
        {
            "client_name": "Television",
            "grant_types": [DEVICE, "refresh_token"],
            "token_endpoint_auth_method": "client_secret_post",
        }
    )
    with cast.app.app_context():
        client, issued = admissions.create(metadata, by=SERVER, allowed=["openid"])
        db.session.commit()
        return Machine(client.client_id, issued.client_secret)


def ask(device: Machine, server: str) -> dict[str, str]:
    """Start a device authorization."""
    reply = device.post(server, "/device_authorization", scope="openid")
    assert reply.status == 200, reply.text
    return reply.body


def poll(device: Machine, server: str, code: str) -> Reply:
    """Ask for the tokens."""
    return device.post(server, "/token", grant_type=DEVICE, device_code=code)


def allow(cast: Cast, user_code: str) -> None:
    """Let a device in without a browser."""
    with cast.app.app_context():
        row = device_codes.find_typed(cast.app.extensions[KEYS]["user codes"], user_code)
        session, _ = sessions.issue(
            cast.user_id, lifetime_seconds=600, address="127.0.0.1", user_agent=""
        )
        device_codes.approve(
            row,
            user_id=cast.user_id,
            session_id=session.id,
            auth_time=1,
            scopes=row.scopes,
            by=SERVER,
        )
        db.session.commit()


def test_of_eight_polls_one_gets_tokens_and_the_replays_end_their_family(
    cast: Cast, two_servers: Servers, history: History, device: Machine
) -> None:
    servers = two_servers()

    for _ in range(20):
        asked = ask(device, servers[0])
        allow(cast, asked["user_code"])
        code = asked["device_code"]
        history.race(
            "poll", code, [partial(poll, device, s, code) for s in spread(THREADS, servers)]
        )
    for code, group in history.by_key("poll").items():
        given = next(each.result for each in group if each.outcome == "ok").body
        look = partial(device.introspect, servers[1], given["access_token"])
        history.perform("introspect", code, look)

    check_valid(history, "poll")
    assert not_exactly_once(history, "poll") == [], history.summary()
    assert alive_after_replay(history, "poll", "introspect") == [], history.summary()
    lost = [each.result.body["error"] for each in history.operations if each.outcome == "fail"]
    assert set(lost) == {"invalid_grant"}
    assert cast.column("SELECT count(*) FROM grants") == [20]


def open_question(browser: Browser, server: str, user_code: str) -> dict[str, str]:
    """Type a code; return the fields of the form that answers."""
    browser.get(server, "/device")
    page = browser.post(server, "/device", user_code=user_code)
    assert page.status == 200, page.text
    ticket = page.text.split('name="ticket" value="')[1].split('"')[0]
    return {"ticket": ticket, "user_code": user_code}


def decide(browser: Browser, server: str, form: dict[str, str], wanted: str) -> Reply:
    """Send an answer."""
    decision = {"approved": "allow", "denied": "deny"}[wanted]
    reply = browser.post(server, "/device/decision", decision=decision, **form)
    return replace(reply, wanted=wanted)


def answered(cast: Cast, user_code: str, number: int) -> tuple[str, list[str]]:
    """Return what became of a code, and what the trail says after so many earlier answers."""
    with cast.app.app_context():
        row = device_codes.find_typed(cast.app.extensions[KEYS]["user codes"], user_code)
    tags = cast.column(
        "SELECT tag FROM audit_events"
        " WHERE tag IN ('device_code.approved', 'device_code.denied') ORDER BY id"
    )
    state = "approved" if row.allowed else "denied"
    return state, [tag.removeprefix("device_code.") for tag in tags[number:]]


def test_of_many_answers_at_once_one_counts_and_the_others_are_told(
    cast: Cast, two_servers: Servers, history: History, device: Machine
) -> None:
    """N-114: allow against deny, each from an open page of its own."""
    servers, final = two_servers(), {}
    browsers = [sign_in(servers[0], email, PASSWORD) for email in cast.approvers(THREADS)]

    for number in range(10):
        user_code = ask(device, servers[0])["user_code"]
        forms = [open_question(browser, servers[0], user_code) for browser in browsers]
        wanted = ["approved", "denied"] * 4
        contenders = zip(browsers, spread(THREADS, servers), forms, wanted, strict=True)
        calls = [partial(decide, *contender) for contender in contenders]
        history.race("answer", user_code, calls)
        final[user_code] = answered(cast, user_code, number)

    check_valid(history, "answer")
    assert undecided(history, "answer", final) == [], history.summary()
