"""The states of software and clients as the design has them: small enough to be read as a table."""

from dataclasses import dataclass

from app.domain.errors import AdmissionRefused, Conflict, NotFound

DAY = 86400
MOVES = {
    "approve": ("pending", "approved", "software.approved"),
    "reject": ("pending", "rejected", "software.rejected"),
    "expire": ("pending", "expired", "software.expired"),
    "block": ("approved", "blocked", "software.blocked"),
    "unblock": ("blocked", "approved", "software.approved"),
    "renew": ("approved", "approved", "software.renewed"),
    "close": ("approved", "approved", "software.closed"),
    "reopen": ("approved", "approved", "software.reopened"),
    "undo": ("approved rejected", "pending", "software.undecided"),
    "forget": ("expired", "gone", "software.forgotten"),
    "suspend": ("live", "suspended", "client.suspended"),
    "resume": ("suspended", "live", "client.resumed"),
    "delete": ("live suspended", "deleted", "client.deleted"),
}
"""Every transition there is: from where, to where, and its one audit record."""
STOPS = ("reject", "block", "suspend", "delete")
"""Transitions that end the tokens of the clients they are about."""


@dataclass(eq=False)
class Thing:
    """Software, or a client of it, as it must be; ``gone`` when it was forgotten or recycled."""

    id: str = ""
    state: str = "gone"
    software: "Thing | None" = None
    came_at: int = 0
    moved_at: int = 0
    used_at: int = 0
    last: str = ""
    until: int | None = None
    """When the approval of software ends."""
    closed: bool = False
    """Whether software takes no newcomers."""
    ended_at: int | None = None
    """Until when the tokens of a client are dead."""


class Model:
    """What must be there after each verb; a verb returns the refusal it must meet, if any."""

    def __init__(self, now):
        self.now, self.clients, self.events = now, [], []
        self.software = {name: Thing() for name in "AB"}

    def status(self, row):
        ended = row.state == "approved" and row.until is not None and row.until <= self.now
        return "expired" if ended else row.state

    def standing(self, client):
        status = self.status(client.software).replace("approved", "active")
        return status if client.state == "live" else client.state

    def concerned(self, thing):
        return [client for client in self.clients if thing in (client, client.software)]

    def may(self, verb, thing):
        """Tell whether a transition starts here; only what was just decided is taken back."""
        fresh = thing.last in ("approve", "reject") and thing.moved_at == self.now
        conditions = {
            "renew": thing.until is not None,
            "close": not thing.closed,
            "reopen": thing.closed,
            "undo": fresh and not any(client.used_at for client in self.concerned(thing)),
        }
        return thing.state in MOVES[verb][0].split() and conditions.get(verb, True)

    def move(self, verb, thing, until=None, *, as_seen=True):
        if thing.state in ("gone", "deleted"):
            return NotFound
        if not self.may(verb, thing) or not as_seen:
            return Conflict
        _, thing.state, tag = MOVES[verb]
        thing.last, thing.moved_at = verb, self.now
        thing.until = {"approve": until, "renew": until, "undo": None}.get(verb, thing.until)
        thing.closed = {"close": True, "reopen": False}.get(verb, thing.closed)
        for client in self.concerned(thing):
            client.ended_at = self.now if verb in STOPS else client.ended_at
            client.state = "gone" if verb == "forget" else client.state
        return self.events.append((tag, thing.id))

    def arrive(self, row, outcome="hold", *, new=True):
        """Refuse what people refused; what a rule says counts until they have decided."""
        stopped = self.status(row) not in ("gone", "pending", "approved")
        stopped = stopped or (self.status(row) == "approved" and row.closed and new)
        if not stopped and (outcome != "refuse" or self.status(row) == "approved"):
            return None
        row.came_at = self.now
        return AdmissionRefused

    def recycle(self, row):
        """Remove what was not used for a day since the decision; nobody decided what expired."""
        limit = self.now - DAY
        if row.state in ("approved", "rejected", "blocked") and row.moved_at < limit:
            unused = [each for each in self.concerned(row) if not each.used_at]
            old = [each for each in unused if each.state == "live" and each.came_at < limit]
            self.events += [("client.recycled", row.id)] * bool(old)
            for client in old:
                client.state = "gone"

    def sweep(self):
        late, idle = self.now - 30 * DAY, self.now - 90 * DAY
        for row in self.software.values():
            if row.state == "pending" and row.came_at < late:
                self.move("expire", row)
            if row.state == "expired" and max(row.moved_at, row.came_at) < late:
                self.move("forget", row)
            for client in self.concerned(row) if row.state in ("approved", "blocked") else ():
                if client.state == "live" and (client.used_at or client.came_at) < idle:
                    self.move("delete", client)
            self.recycle(row)
