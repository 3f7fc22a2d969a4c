"""No order of verbs leads anywhere but along the design: a state machine against a small model."""

from contextlib import contextmanager, nullcontext

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, data, sampled_from

from app.domain import (
    admissions,
    client_lists,
    client_metadata,
    client_records,
    clients,
    decisions,
    generations,
    last_use,
    policies,
    reversals,
    software,
    sweeps,
)
from app.domain.audit import SERVER, AuditEvent
from app.domain.client_records import Client
from app.domain.errors import AdmissionRefused, NotFound
from app.domain.rules import Obligations, Rule
from app.domain.software import Software
from app.extensions import db
from tests.domain.state_model import DAY, Model, Thing

RULES = sweeps.SweepRules(pending_days=30, unused_days=90)
DECISIONS = ("approve", "reject", "undo", "renew", "block", "unblock", "close", "reopen", "forget")
ACTIONS = ("suspend", "resume", "delete")
OUTCOMES = ("hold", "hold", "admit", "refuse")
REVISED = ("approve", "reject", "renew", "undo")
"""Decisions that name what the person saw."""


def decide(verb, software_id, until, as_seen=True):
    """Decide about software as it is, or as somebody saw it earlier."""
    row = software.get(software_id)
    revision = row.revision if as_seen else "an earlier one"
    if verb == "approve":
        decisions.approve(row.id, revision, by=SERVER, allowed=[], until=until)
    elif verb == "reject":
        decisions.reject(row.id, revision, "why", by=SERVER)
    elif verb == "renew":
        seen_until = row.approved_until if as_seen else 1
        decisions.renew(row.id, seen_until or 0, by=SERVER, until=until)
    elif verb == "undo":
        decided_at = row.decided_at if as_seen else 1
        reversals.undo(row.id, decided_at or 0, by=SERVER)
    elif verb == "forget":
        sweeps.forget(row.id, by=SERVER)
    else:
        getattr(decisions, verb)(row.id, "why", by=SERVER)


def act(verb, client_id):
    """Do to a client what operators do, tombstones included."""
    stored = clients.find(client_id) or clients.get(client_id)
    getattr(clients, verb)(stored, "why", by=SERVER)


def arrival(name, outcome="hold", *, is_new=True):
    """Return the evidence about an arrival, and the verdict with a rule of this outcome."""
    body = {"client_name": name, "redirect_uris": ["https://app.example/cb"]}
    facts = {"source": "dcr", "initial_access_token": None, "address": "", "user_agent": ""}
    evidence = admissions.evidence(client_metadata.parse(body), is_new=is_new, **facts)
    then = Obligations(approve_days=30)
    return evidence, policies.judge(evidence, [Rule(outcome, outcome, then=then, id=outcome)])


class Admission(RuleBasedStateMachine):
    """Calls each verb about software and clients in whatever state; the model says what follows."""

    def __init__(self, app, clock):
        super().__init__()
        self.app, self.clock, self.model = app, clock, Model(clock.now)
        with app.app_context():
            db.session.execute(sa.delete(Client))
            db.session.execute(sa.delete(Software))
            db.session.commit()
            self.seen = db.session.scalar(sa.select(sa.func.max(AuditEvent.id))) or 0

    @contextmanager
    def request(self, refusal=None):
        """Open a session for one verb and end it as the doors do; a refused arrival is kept."""
        with self.app.app_context():
            with pytest.raises(refusal) if refusal else nullcontext():
                yield
            if refusal in (None, AdmissionRefused):
                db.session.commit()

    @initialize()
    def begin(self):
        self.register("A", "hold")

    @rule(name=sampled_from("AB"), outcome=sampled_from(OUTCOMES))
    def register(self, name, outcome):
        model, row = self.model, self.model.software[name]
        new = row.state == "gone"
        refusal = model.arrive(row, outcome)
        with self.request(refusal):
            stored, _ = admissions.register(*arrival(name, outcome), by=SERVER)
        if refusal:
            return
        if new:
            row = model.software[name] = Thing(stored.software_id, "pending")
        assert stored.software_id == row.id
        row.came_at = model.now
        model.clients.append(Thing(stored.client_id, "live", row, model.now))
        model.events.append(("client.registered", stored.client_id))
        if outcome == "admit" and row.state == "pending":
            model.move("approve", row, model.now + 30 * DAY)
        model.recycle(row)
        if new:
            self.try_the_rest(row)

    @rule(draw=data(), uses=booleans())
    def come_back(self, draw, uses):
        """Let a client use its approval, or send its metadata again (RFC 7592)."""
        model = self.model
        active = [client for client in model.clients if model.standing(client) == "active"]
        client = draw.draw(sampled_from((active if uses else []) or model.clients))
        if uses and active:
            with self.request():
                last_use.touch(client.id, model.now)
            client.used_at = model.now
            self.try_the_rest(client.software)
        else:
            self.update(client)

    def update(self, client):
        """Send the same metadata again: what was stopped cannot revive itself."""
        known = client.state in ("live", "suspended")
        refusal = self.model.arrive(client.software, new=False) if known else NotFound
        refusal = AdmissionRefused if client.state == "suspended" else refusal
        with self.request(refusal):
            stored = clients.get(client.id)
            name = stored.client_metadata["client_name"]
            admissions.change(stored, *arrival(name, is_new=False), by=SERVER)
        self.model.events += [("client.updated", client.id)] * (not refusal)

    @rule(draw=data(), days=sampled_from([None, 1, 30]))
    def decide(self, draw, days):
        model = self.model
        rows = model.software.values()
        ways = [(verb, row) for row in rows for verb in DECISIONS if model.may(verb, row)]
        if ways:
            verb, row = draw.draw(sampled_from(ways))
            self.do(verb, row, None if days is None else model.now + days * DAY)
            self.try_the_rest(row)

    @rule(draw=data(), verb=sampled_from(ACTIONS))
    def act(self, draw, verb):
        ready = [client for client in self.model.clients if self.model.may(verb, client)]
        if ready:
            client = draw.draw(sampled_from(ready))
            self.do(verb, client)
            self.try_the_rest(client)

    def do(self, verb, thing, until=None, *, as_seen=True):
        with self.request(self.model.move(verb, thing, until, as_seen=as_seen)):
            if thing.software:
                act(verb, thing.id)
            else:
                decide(verb, thing.id, until, as_seen)

    def try_the_rest(self, thing):
        """Try what the table does not list from here, and what somebody saw earlier."""
        for verb in ACTIONS if thing.software else DECISIONS:
            as_seen = not self.model.may(verb, thing)
            if as_seen or verb in REVISED:
                self.do(verb, thing, as_seen=as_seen)

    @rule(days=sampled_from([1, 30, 90]), seconds=sampled_from([0, 1]), swept=booleans())
    def wait(self, days, seconds, swept):
        model = self.model
        self.clock.advance(days * DAY + seconds)
        model.now = self.clock.now
        if swept:
            model.sweep()
            with self.request():
                sweeps.sweep(RULES, by=SERVER)
        for row in model.software.values():
            if row.moved_at == model.now or not swept:
                self.try_the_rest(row)
        standings = [model.standing(client) for client in model.clients]
        with self.app.app_context():
            for each in set(standings) - {"gone"}:
                assert client_lists.count(each) == standings.count(each)

    @invariant()
    def all_is_as_the_model_says(self):
        model = self.model
        known = [client for client in model.clients if client.state != "gone"]
        standings = {client.id: model.standing(client) for client in known}
        with self.app.app_context():
            assert self.new_events() == sorted(model.events)
            assert stored_rows() == rows_of(model)
            generation = generations.read()["clients"]
            records = [client_records.look_up(key, generation) for key in standings]
            assert [each.standing(model.now) for each in records] == list(standings.values())
        model.events = []

    def new_events(self):
        query = sa.select(AuditEvent.tag, AuditEvent.subject, AuditEvent.id)
        new = db.session.execute(query.where(AuditEvent.id > self.seen)).all()
        self.seen = max([self.seen, *(key for *_, key in new)])
        return sorted((tag, subject) for tag, subject, _ in new)


def stored_rows():
    """Return what is stored about software, each time beside one of its clients."""
    columns = (Software.id, Software.status, Software.approved_until)
    query = sa.select(*columns, Client.client_id, Client.state, Client.tokens_ended_at)
    joined = query.outerjoin(Client, Client.software_id == Software.id)
    return {tuple(row) for row in db.session.execute(joined)}


def rows_of(model):
    """Return what must be stored."""
    nobody = Thing(None, None)
    return {
        (row.id, row.state, row.until, each.id, each.state, each.ended_at)
        for row in model.software.values()
        if row.state != "gone"
        for each in [one for one in model.concerned(row) if one.state != "gone"] or [nobody]
    }


def test_no_order_of_verbs_leads_anywhere_but_along_the_design(app, clock):
    """Failures are not shortened: that takes minutes, and twenty-five steps can be read."""
    short = settings(max_examples=8, stateful_step_count=25, phases=[Phase.generate])
    run_state_machine_as_test(lambda: Admission(app, clock), settings=short)
