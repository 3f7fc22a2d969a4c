import pytest

from app.outbound import limits
from app.outbound.errors import OutboundError
from app.outbound.limits import AT_ONCE, AT_ONCE_OF_ONE_HOST, Deadline, Turns


def refused(turns: Turns, host: str) -> bool:
    """Tell whether a host finds no place at this moment."""
    try:
        with turns.taken(host):
            return False
    except OutboundError as error:
        return error.reason == "busy"


def test_one_host_has_two_places_and_gets_them_back():
    """S-13"""
    turns = Turns()

    with turns.taken("slow.example"), turns.taken("slow.example"):
        assert refused(turns, "slow.example")
        assert not refused(turns, "client.example")

    assert AT_ONCE_OF_ONE_HOST == 2
    assert not refused(turns, "slow.example")


def test_the_process_has_sixteen_places():
    """S-13"""
    turns = Turns()
    held = [turns.taken(f"host{number}.example") for number in range(AT_ONCE)]

    for each in held:
        each.__enter__()
    assert refused(turns, "client.example")
    held[0].__exit__(None, None, None)
    assert AT_ONCE == 16
    assert not refused(turns, "client.example")


def test_a_failure_gives_its_place_back_and_a_host_is_forgotten():
    turns = Turns()

    for _ in range(AT_ONCE + 1):
        with pytest.raises(ValueError, match="late"), turns.taken("client.example"):
            raise ValueError("late")

    assert not turns.hosts


def test_a_deadline_that_has_passed_leaves_nothing():
    assert 0 < Deadline(60).left() <= 60
    with pytest.raises(TimeoutError):
        Deadline(0).left()


def test_a_step_ends_at_the_deadline_and_none_begins_after_it():
    assert Deadline(60).step(5) == 5
    assert 0 < Deadline(3).step(5) <= 3
    with pytest.raises(OutboundError) as raised:
        Deadline(0).step(5)
    assert raised.value.reason == "timeout"


def test_nobody_waits_beyond_a_deadline(monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(limits, "pause", waited.append)

    assert [Deadline(5).wait(4), Deadline(5).wait(6), Deadline(0).wait(0)] == [True, False, False]
    assert waited == [4]
