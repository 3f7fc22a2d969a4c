"""The history check: what many threads saw, and which of our promises that breaks.

An operation is invoked and ends ``ok``, ``fail`` or ``unknown``; a lost connection and a 5xx are
unknown, because nobody can tell whether the server did it. Every check returns sentences, one for
each broken promise; a run that could not have broken one is invalid instead of passed.
"""

import http.client
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Barrier, Lock, Thread
from typing import Any, Literal

Outcome = Literal["ok", "fail", "unknown"]
DEFINITE_SHARE = 0.95


class InvalidRun(AssertionError):
    """Raised when a run shows nothing: nobody lost a race, or too many answers are unknown."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: on what, when it was invoked and ended by one monotonic clock, and how."""

    name: str
    key: str
    outcome: Outcome
    invoked_at: float
    ended_at: float
    result: Any = None

    def overlaps(self, other: "Operation") -> bool:
        """Tell whether both were under way at the same time."""
        return self.invoked_at < other.ended_at and other.invoked_at < self.ended_at


class History:
    """What happened in one run, in the order in which it ended."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self.operations = list(operations)
        self.lock = Lock()

    def perform(self, name: str, key: str, call: Callable[[], Any]) -> Operation:
        """Perform one operation and note it; ``call`` returns a reply with an HTTP status."""
        invoked_at, reply = time.monotonic(), None
        try:
            reply = call()
            outcome = judge(reply.status)
        except (OSError, http.client.HTTPException):
            outcome = "unknown"
        done = Operation(name, key, outcome, invoked_at, time.monotonic(), reply)
        with self.lock:
            self.operations.append(done)
        return done

    def race(self, name: str, key: str, calls: Iterable[Callable[[], Any]]) -> list[Operation]:
        """Perform all calls at the same moment, each in a thread of its own."""
        contenders, done = list(calls), []
        start = Barrier(len(contenders))

        def contend(call: Callable[[], Any]) -> None:
            start.wait(20)
            done.append(self.perform(name, key, call))

        threads = [Thread(target=contend, args=(call,)) for call in contenders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == len(contenders), "a contender ended without an operation"
        return done

    def by_key(self, name: str) -> dict[str, list[Operation]]:
        """Return the operations with a name, by what they were performed on."""
        found: dict[str, list[Operation]] = defaultdict(list)
        for each in self.operations:
            if each.name == name:
                found[each.key].append(each)
        return found

    def summary(self) -> str:
        """Return the counts and the duration, for whoever reads a failure."""
        counts = Counter((each.name, each.outcome) for each in self.operations)
        first = min(each.invoked_at for each in self.operations)
        seconds = max(each.ended_at for each in self.operations) - first
        return f"{seconds:.1f} s, " + ", ".join(f"{k[0]} {k[1]}: {n}" for k, n in counts.items())


def judge(status: int) -> Outcome:
    """Return how an operation ended that was answered."""
    if status >= 500:
        return "unknown"
    return "ok" if status < 400 else "fail"


def check_valid(history: History, name: str) -> None:
    """Raise InvalidRun when this run could not have shown a broken promise."""
    found = history.by_key(name)
    check_definite([each for group in found.values() for each in group])
    contested = [
        key
        for key, group in found.items()
        if any(
            won.outcome == "ok" and lost.outcome == "fail" and won.overlaps(lost)
            for won in group
            for lost in group
        )
    ]
    if not contested:
        raise InvalidRun(f"nobody lost a race for anything: {history.summary()}")


def check_definite(operations: list[Operation]) -> None:
    """Raise InvalidRun when fewer than 95 % of the operations were answered for certain."""
    definite = sum(each.outcome != "unknown" for each in operations)
    if not operations or definite < DEFINITE_SHARE * len(operations):
        raise InvalidRun(f"only {definite} of {len(operations)} answers are definite")


def not_exactly_once(history: History, name: str) -> list[str]:
    """Name what took effect more than once, or for nobody although all answers are definite."""
    broken = []
    for key, group in history.by_key(name).items():
        counts = Counter(each.outcome for each in group)
        if counts["ok"] > 1:
            broken.append(f"{name} of {key} took effect {counts['ok']} times")
        if counts["ok"] == 0 and counts["unknown"] == 0:
            broken.append(f"{name} of {key} took effect for nobody")
    return broken


def alive_after_replay(history: History, name: str, look: str) -> list[str]:
    """Name what still worked for somebody who looked after a replay was answered.

    A look that was invoked before that answer does not count.
    """
    broken, looks = [], history.by_key(look)
    for key, group in history.by_key(name).items():
        replays = [each.ended_at for each in group if each.outcome == "fail"]
        if not replays or all(each.outcome != "ok" for each in group):
            continue
        late = [each for each in looks.get(key, []) if each.invoked_at > min(replays)]
        if not late:
            raise InvalidRun(f"nobody looked at {key} after its replay")
        broken += [f"{look} of {key} found it alive" for each in late if saw_alive(each)]
    return broken


def saw_alive(look: Operation) -> bool:
    """Tell whether a look found its credential alive: by introspection, or because it worked."""
    return look.outcome == "ok" and look.result.body.get("active", True) is True


def forks(edges: Iterable[tuple[str, str]]) -> list[str]:
    """Name the tokens with several successors or predecessors: a family is one path."""
    after: dict[str, set[str]] = defaultdict(set)
    before: dict[str, set[str]] = defaultdict(set)
    for token, successor in edges:
        after[token].add(successor)
        before[successor].add(token)
    broken = [
        f"{token} has {len(found)} successors" for token, found in after.items() if len(found) > 1
    ]
    broken += [
        f"{token} follows {len(found)} tokens" for token, found in before.items() if len(found) > 1
    ]
    return broken


def undecided(history: History, name: str, final: Mapping[str, tuple[str, list[str]]]) -> list[str]:
    """Name what was not decided as its winner was told.

    ``final`` holds, for each key, the state in the end and what the audit trail says; a winner's
    reply has ``wanted``, the state it asked for.
    """
    broken = []
    for key, group in history.by_key(name).items():
        told = [each.result.wanted for each in group if each.outcome == "ok"]
        state, recorded = final[key]
        if told != [state] or recorded != [state]:
            broken.append(f"{key} is {state}, told {told}, recorded {recorded}")
        wrong = {each.result.status for each in group if each.outcome == "fail"} - {409}
        if wrong:
            broken.append(f"losers of {key} were answered {sorted(wrong)}")
    return broken
