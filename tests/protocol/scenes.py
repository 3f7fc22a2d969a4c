"""One app and one host of others' files for all rows of a table; each row has a path of its own."""

import itertools
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain import policy_versions, rules
from app.domain.audit import SERVER, AuditEvent
from app.extensions import db
from tests.outbound.conftest import Authority
from tests.protocol.documents import DocumentHost, document_host, everything_on_loopback, reaching
from tests.routes.stage import Stage, staged


@dataclass
class Scene:
    """An app, and a host that strangers name."""

    stage: Stage
    host: DocumentHost
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def put_in_force(self, *written: dict[str, Any]) -> None:
        """Put rules in force, written as in a policy file."""
        with self.stage.app.app_context():
            seen = policy_versions.in_force().number
            policy_versions.save(rules.all_from_json(written), seen, by=SERVER)
            db.session.commit()

    def latest(self, tag: str) -> AuditEvent:
        """Return the latest event with a tag."""
        with self.stage.app.app_context():
            query = db.select(AuditEvent).filter_by(tag=tag).order_by(AuditEvent.id.desc())
            return db.session.scalars(query.limit(1)).one()


@contextmanager
def on_stage(
    template: Path, folder: Path, tls: ssl.SSLContext, authority: Authority
) -> Iterator[tuple[Stage, DocumentHost]]:
    """Run an app that reaches a host of others' files while the block lasts."""
    with (
        document_host(tls) as host,
        staged(template, folder, **reaching(host, authority)) as stage,
        everything_on_loopback(stage.app),
    ):
        yield stage, host
