"""Owns the access tokens that this server gets for itself at others' token endpoints."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from app import clock
from app.outbound import token_requests
from app.outbound.client import Outbound
from app.outbound.errors import OutboundError
from app.outbound.limits import Deadline
from app.outbound.logins import Login
from app.outbound.shared_tokens import Kept, Need, SharedTokens

Acquire = Callable[[Outbound, Login, float], Kept]
"""Gets a new token in so many seconds; raises OutboundError.

What has to outlive the token, such as a refresh token that came with it, it has stored when it
returns: only then does anybody use the token.
"""


class TokenManager:
    """Keeps one access token of one login; any number of threads may ask for it.

    While one thread asks the token endpoint the others wait for its answer, and with ``shared``
    so do other processes. A token that arrives after ``clear`` is given to whoever waited for it
    and not kept.
    """

    def __init__(
        self,
        outbound: Outbound,
        login: Login,
        shared: SharedTokens | None = None,
        acquire: Acquire = token_requests.client_credentials,
    ) -> None:
        """Ask nothing yet."""
        self.outbound, self.login, self.shared = outbound, login, shared
        self.acquire = acquire
        self.lock = Lock()
        self.kept: Kept | None = None
        self.flight: Future[Kept] | None = None
        self.generation = 0

    def token(self, seconds: float = 5, *, life_seconds: int = 0) -> str:
        """Return a token that can be used; raises OutboundError when none is had in time.

        One that expires in less than ``life_seconds`` is renewed, once: the new one is given
        however short it lives.
        """
        return self.current(seconds, life_seconds=life_seconds).value

    def current(self, seconds: float = 5, *, life_seconds: int = 0) -> Kept:
        """Return such a token with its dates."""
        return self._share(Need(clock.epoch(), life_seconds), Deadline(seconds))

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless another one has taken its place."""
        with self.lock:
            if self.kept is not None and self.kept.value == token:
                self._forget()
        if self.shared is not None:
            self.shared.drop(self.login.name, token)

    def clear(self) -> None:
        """Forget the token, and that of an answer under way."""
        with self.lock:
            self._forget()
        if self.shared is not None:
            self.shared.forget(self.login.name)

    def _forget(self) -> None:
        self.kept = self.flight = None
        self.generation += 1

    def _share(self, need: Need, deadline: Deadline) -> Kept:
        """Return the kept token, that of the flight under way, or that of a flight of one's own."""
        with self.lock:
            if self.kept is not None and self.kept.meets(need):
                return self.kept
            waited_for = self.flight
            own: Future[Kept] = Future()
            if waited_for is None:
                self.flight, generation = own, self.generation
        if waited_for is None:
            return self._fetch(own, generation, need, deadline)
        found = self._await(waited_for, deadline)
        # whoever asked needed less, and was content with the token of another process
        return found if found.meets(need) else self._share(need, deadline)

    @staticmethod
    def _await(flight: "Future[Kept]", deadline: Deadline) -> Kept:
        try:
            return flight.result(deadline.step())
        except TimeoutError:
            raise OutboundError("timeout") from None
        except OutboundError as error:
            raise OutboundError(error.reason, error.error) from None

    def _fetch(
        self, flight: "Future[Kept]", generation: int, need: Need, deadline: Deadline
    ) -> Kept:
        """Ask the token endpoint for everybody who waits."""
        try:
            kept = self._get(generation, need, deadline)
        except BaseException as error:
            self._land(flight)
            told = error if isinstance(error, OutboundError) else OutboundError("token")
            flight.set_exception(told)
            raise
        self._land(flight, kept, generation)
        flight.set_result(kept)
        return kept

    def _get(self, generation: int, need: Need, deadline: Deadline) -> Kept:
        """Return the token of another process, or a new one for all of them."""
        if self.shared is None:
            return self.acquire(self.outbound, self.login, deadline.step())
        name = self.login.name
        found = self.shared.find(name, need)
        if found is not None:
            return found
        with self.shared.turn(name, deadline.step()):
            found = self.shared.find(name, need)
            if found is None:
                found = self.acquire(self.outbound, self.login, deadline.step())
                if self.generation == generation:
                    self.shared.keep(name, found)
        return found

    def _land(self, flight: "Future[Kept]", kept: Kept | None = None, generation: int = -1) -> None:
        with self.lock:
            if self.flight is flight:
                self.flight = None
            if kept is not None and self.generation == generation:
                self.kept = kept
