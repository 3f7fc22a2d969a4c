"""Renewal of tokens at upstreams: the refresh token is safe before anybody uses what it gave."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.outbound.errors import OutboundError
from app.outbound.tokens import TokenManager
from app.outbound.upstream import acquiring
from tests.outbound.token_endpoints import Held
from tests.outbound.upstreams import Upstream, forms, login, refused
from tests.outbound.upstreams import upstream as upstream
from tests.services.gate import said, token_answer


class Vault:
    """Keeps a refresh token as a row would; ``log`` is in the order of what happened."""

    def __init__(self, *held: str) -> None:
        self.held, self.log = list(held), []

    def find(self) -> str:
        """Return what is there now; the last token is found again and again."""
        return self.held.pop(0) if len(self.held) > 1 else self.held[0]

    def store(self, grant) -> None:
        self.log.append((grant.refresh_token, grant.access_token))
        self.held = [grant.refresh_token]


def managing(at: Upstream, vault: Vault) -> TokenManager:
    ours = login(at, buffer_seconds=100)
    return TokenManager(at.outbound, ours, acquire=acquiring(vault.find, vault.store))


def test_a_manager_renews_by_the_refresh_token_that_was_stored_last(upstream, clock):
    at = upstream(*[token_answer(f"at-{n}", refresh_token=f"rt-{n}") for n in (2, 3)])
    vault = Vault("rt-1")
    manager = managing(at, vault)

    assert [manager.token() for _ in range(3)] == ["at-2"] * 3
    clock.advance(3600 - 101)
    assert manager.token() == "at-2"
    clock.advance(1)
    assert manager.token() == "at-3"

    assert vault.log == [("rt-2", "at-2"), ("rt-3", "at-3")]
    assert [form["refresh_token"] for form in forms(at)] == [["rt-1"], ["rt-2"]]


def test_a_token_whose_refresh_token_could_not_be_stored_is_used_by_nobody(upstream):
    at = upstream(token_answer("at-2", refresh_token="rt-2"))
    vault = Vault("rt-1")

    def lose(_grant):
        raise OSError("nothing was stored")

    manager = TokenManager(at.outbound, login(at), acquire=acquiring(vault.find, lose))

    with pytest.raises(OSError, match="nothing was stored"):
        manager.token()
    assert manager.kept is None


def test_a_refresh_token_that_another_process_spent_is_replaced_by_the_one_it_stored(upstream):
    at = upstream(refused("invalid_grant"), token_answer("at-3", refresh_token="rt-3"))
    vault = Vault("rt-1", "rt-2")

    assert managing(at, vault).token() == "at-3"
    assert [form["refresh_token"] for form in forms(at)] == [["rt-1"], ["rt-2"]]
    assert vault.log == [("rt-3", "at-3")]


@pytest.mark.parametrize(
    "answer, held, reason, error, asked",
    [
        (refused("invalid_grant"), ["rt-1"], "token", "invalid_grant", 1),
        (refused("invalid_grant"), ["rt-1", ""], "token", "invalid_grant", 1),
        (refused("invalid_grant"), ["rt-1", "rt-2"], "token", "invalid_grant", 2),
        (said(503), ["rt-1", "rt-2"], "token", "", 1),
        (said(200), [""], "credential", "", 0),
    ],
)
def test_a_grant_that_has_ended_is_not_asked_for_again_and_again(
    upstream, answer, held, reason, error, asked
):
    at = upstream(answer)

    with pytest.raises(OutboundError) as raised:
        managing(at, Vault(*held)).token()

    assert (raised.value.reason, raised.value.error) == (reason, error)
    assert len(at.server.requests) == asked


def test_whoever_waits_for_a_grant_that_has_ended_learns_why(upstream):
    held = Held(refused("invalid_grant"))
    manager = managing(upstream(held), Vault("rt-1"))

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(manager.token)]
        assert held.asked.wait(5)
        asking.append(pool.submit(manager.token))
        held.free.set()
        ended = [each.exception(5) for each in asking]

    assert [(each.reason, each.error) for each in ended] == [("token", "invalid_grant")] * 2
