"""A DPoP proof gives one token, whichever of two servers many threads ask (N-201, promise 1)."""

from collections.abc import Callable
from functools import partial

import pytest

from app.config import Settings
from tests.protocol.proofs import proof
from tests.races.cast import REDIRECT, VERIFIER, Cast, spread
from tests.races.history import History, check_valid, not_exactly_once
from tests.races.wire import Reply, post_form

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PROOFS, THREADS = 6, 8


def redeem(cast: Cast, server: str, code: str, sent: str) -> Reply:
    """Exchange a code with a proof."""
    wanted = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": cast.machine.client_id,
        "client_secret": cast.machine.secret,
    }
    return post_form(server, "/token", wanted, {"DPoP": sent})


def test_of_eight_threads_with_one_proof_and_a_code_each_one_gets_tokens(
    cast: Cast,
    settings: Settings,
    two_servers: Callable[..., tuple[str, str]],
    history: History,
) -> None:
    """What the others lost is the race alone: their codes are as good as before."""
    servers = two_servers()
    codes = cast.codes(PROOFS * THREADS)

    for number in range(PROOFS):
        sent = proof(htu=f"{settings.issuer}/token")
        own = codes[number * THREADS : (number + 1) * THREADS]
        calls = [
            partial(redeem, cast, server, code, sent)
            for server, code in zip(spread(THREADS, servers), own, strict=True)
        ]
        history.race("redeem", str(number), calls)

    check_valid(history, "redeem")
    assert not_exactly_once(history, "redeem") == [], history.summary()
    unspent = "SELECT count(*) FROM authorization_codes WHERE spent_at IS NULL"
    assert cast.column(unspent) == [PROOFS * (THREADS - 1)]
    assert cast.column("SELECT count(*) FROM grants") == [PROOFS]
