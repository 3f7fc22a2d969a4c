"""Sectors: which clients may have pairwise subjects, and what is asked of a sector, once.

One app stands for all rows; each row has a path of its own.
"""

import json

import pytest

from app.domain.client_records import Client, load
from app.domain.openid_metadata import NO_SECTOR
from app.extensions import db
from app.outbound.lookups import Lookups
from app.sectors import UNLISTED, UNREAD
from tests.protocol import registrants
from tests.protocol.documents import (
    CODEX,
    is_refused_here,
    is_waiting,
)
from tests.protocol.documents import authority as authority
from tests.protocol.documents import tls as tls
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.scenes import Scene, on_stage
from tests.routes.stage import ANONYMOUS

ONE, TWO = "https://one.example/cb", "https://two.example/cb"
LOOPBACK, PRIVATE = "http://127.0.0.1:49152/cb", "com.example.app:/cb"
DEVICE = {"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "redirect_uris": []}


class SectorScene(Scene):
    """An app, a host where sectors list their redirect URIs, and who registers."""

    def publish(self, content, **answer):
        """Publish a list at a path that was never asked for; return its URI."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.host.put(body, f"/{next(self.numbers)}.json", **answer)

    def post(self, **changes):
        """Register a client with pairwise subjects."""
        http = self.stage.browser(ANONYMOUS)
        return registrants.post(http, **{"subject_type": "pairwise"} | changes)

    def sector_of(self, client_id):
        """Return the sector of a client."""
        with self.stage.app.app_context():
            return load(client_id).openid.sector

    def clients(self):
        """Return how many clients there are."""
        with self.stage.app.app_context():
            return db.session.scalar(db.select(db.func.count()).select_from(Client))


@pytest.fixture(scope="module")
def scene(tls, authority, sqlite_template, tmp_path_factory):
    """Return one scene for all rows."""
    folder = tmp_path_factory.mktemp("sectors")
    with on_stage(sqlite_template, folder, tls, authority) as found:
        yield SectorScene(*found)


def refused_with(response, sentence):
    """Demand a refusal of the metadata with a sentence that holds nothing of what was sent."""
    assert_refused(response, "invalid_client_metadata")
    assert response.get_json()["error_description"] == sentence
    return True


def test_a_sector_that_lists_every_redirect_uri_is_taken_and_asked_once(scene):
    """N-164: whatever the hosts, schemes and ports of the redirect URIs are."""
    uris = [ONE, TWO, LOOPBACK, PRIVATE]
    uri = scene.publish([*uris, "https://three.example/cb", 5, None, {"a": []}])

    answer = scene.post(redirect_uris=uris, sector_identifier_uri=uri).get_json()

    assert (answer["subject_type"], answer["sector_identifier_uri"]) == ("pairwise", uri)
    assert scene.sector_of(answer["client_id"]) == "client.example"
    assert scene.host.asked.count(uri.removeprefix(scene.host.url(""))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": [ONE, TWO]},
        {"redirect_uris": [ONE, LOOPBACK]},
        {"redirect_uris": [LOOPBACK]},
        {"redirect_uris": [PRIVATE]},
        DEVICE,
        DEVICE | {"sector_identifier_uri": "https://one.example/sector.json"},
    ],
    ids=str,
)
def test_without_a_list_all_redirect_uris_have_one_https_host(scene, changes):
    """N-164, N-204: nobody shares a sector with whoever else has a loopback address, or none."""
    asked = len(scene.host.asked)

    assert refused_with(scene.post(**changes), NO_SECTOR)
    assert len(scene.host.asked) == asked


def test_the_host_of_the_redirect_uris_is_the_sector(scene):
    """OpenID Connect Core section 8.1: the host component, without port and case."""
    uris = ["https://Shop.example:8443/a", "https://shop.EXAMPLE/b"]
    answer = scene.post(redirect_uris=uris).get_json()

    assert scene.sector_of(answer["client_id"]) == "shop.example"
    public = scene.post(redirect_uris=uris, subject_type=None).get_json()
    assert scene.sector_of(public["client_id"]) is None


BAD_LISTS = {
    "one is missing": [ONE],
    "another case": [ONE, "https://two.example/CB"],
    "a slash more": [ONE, f"{TWO}/"],
    "a prefix": [ONE, "https://two.example/"],
    "joined": [f"{ONE} {TWO}"],
    "nested": [[ONE, TWO]],
    "nothing": [],
    "numbers": list(range(9000)),
}
BAD_ANSWERS = {
    "an object": ({"redirect_uris": [ONE, TWO]}, {}),
    "a string": (f"{ONE} {TWO}", {}),
    "null": (None, {}),
    "not JSON": (f"{ONE}\n{TWO}".encode(), {}),
    "a page": ([ONE, TWO], {"media_type": "text/html"}),
    "plain text": ([ONE, TWO], {"media_type": "text/plain"}),
    "no media type": ([ONE, TWO], {"media_type": ""}),
    "another character set": (json.dumps([ONE, TWO]).encode("utf-16"), {}),
    "trailing garbage": (json.dumps([ONE, TWO]).encode() + b"]", {}),
    "nested too deep": (b"[" * 30_000 + b"]" * 30_000, {}),
    "a lone surrogate": (b'["\\ud800"]', {}),
    "huge": ([ONE, TWO, "x" * 70_000], {}),
    "endless": ([ONE, TWO], {"Content_Length": "1000000000"}),
    "compressed": ([ONE, TWO], {"Content_Encoding": "gzip"}),
    "a redirect": ([ONE, TWO], {"status": 302, "Location": "https://client.example/0.json"}),
    "a lasting redirect": ([ONE, TWO], {"status": 308, "Location": "http://127.0.0.1/"}),
    "not found": ([ONE, TWO], {"status": 404}),
    "a part": ([ONE, TWO], {"status": 206}),
    "an error": ([ONE, TWO], {"status": 500}),
}


def test_a_list_that_is_none_or_lacks_one_registers_nothing(scene, subtests):
    """N-164, X-33; S-06, S-08, S-12: each kind of failure has one sentence; section 7, bad sector.

    Public subjects make no difference: what is registered is checked.
    """
    rows = {name: (listed, {}, UNLISTED) for name, listed in BAD_LISTS.items()}
    rows |= {name: (*answer, UNREAD) for name, answer in BAD_ANSWERS.items()}
    before = scene.clients()
    for number, (name, (content, answer, sentence)) in enumerate(rows.items()):
        with subtests.test(name):
            uri = scene.publish(content, **answer)
            kind = ("pairwise", "public", None)[number % 3]
            said = {"redirect_uris": [ONE, TWO], "subject_type": kind}
            assert refused_with(scene.post(**said, sector_identifier_uri=uri), sentence)
    assert scene.clients() == before


@pytest.mark.parametrize(
    "uri",
    ["http://one.example/s", "javascript:alert(1)", "//one.example/s", "https://a@one.example/", 5],
    ids=str,
)
def test_what_is_no_https_url_is_refused_unasked(scene, uri):
    """N-164"""
    assert_refused(scene.post(sector_identifier_uri=uri), "invalid_client_metadata")


STRANGE = (
    "https://127.0.0.1/s",
    "https://[::1]/s",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/s",
    "https://localhost/s",
    "https://foo.localhost/s",
    "https://metadata.google.internal/s",
    "https://printer.local/s",
    "https://intranet/s",
    "https://one.example:8443/s",
)


def test_nothing_internal_is_asked(scene, subtests):
    """X-33, S-01, S-02"""
    asked = len(scene.host.asked)
    for uri in STRANGE:
        with subtests.test(uri):
            assert_refused(scene.post(sector_identifier_uri=uri), "invalid_client_metadata")
    assert len(scene.host.asked) == asked


def test_a_name_that_also_leads_inside_is_refused(scene, monkeypatch):
    """X-33, S-04: one public and one private answer; the name is looked up once."""
    names = []

    def rebound(host, _port):
        names.append(host)
        return ["192.88.98.1", "10.0.0.1"]

    lookups = Lookups(rebound)
    monkeypatch.setattr(scene.stage.app.extensions["gatewright.outbound"], "of_strangers", lookups)
    assert refused_with(scene.post(sector_identifier_uri="https://rebound.example/s"), UNREAD)
    lookups.threads.shutdown()

    assert names == ["rebound.example"]
    assert scene.latest("registration.refused").detail["reason"] == "address"


def test_who_is_refused_by_policy_makes_this_server_ask_nobody(scene):
    """N-196: policy first."""
    uri = scene.publish(["https://registrant.example/cb"])
    asked = len(scene.host.asked)
    scene.put_in_force({"name": "Never", "outcome": "refuse"})

    refused = scene.post(sector_identifier_uri=uri)
    scene.put_in_force()
    assert_refused(refused, "access_denied", 403)
    assert len(scene.host.asked) == asked


def test_an_update_asks_the_sector_again(scene):
    """N-164, N-177: with every update, and never anywhere else."""
    uri = scene.publish([ONE])
    http = scene.stage.browser(ANONYMOUS)
    said = {"subject_type": "pairwise", "redirect_uris": [ONE], "sector_identifier_uri": uri}
    registrant = registrants.register(http, **said)
    asked = len(scene.host.asked)

    assert registrant.update(client_name="Renamed").status_code == 200
    assert refused_with(registrant.update(redirect_uris=[ONE, TWO]), UNLISTED)
    assert refused_with(
        registrant.update(redirect_uris=[ONE, TWO], sector_identifier_uri=None), NO_SECTOR
    )
    assert len(scene.host.asked) == asked + 2
    http.get(registrant.machine.asking(scope="openid"))
    assert registrant.read().get_json()["redirect_uris"] == [ONE]
    assert len(scene.host.asked) == asked + 2


def test_a_document_has_the_sector_of_its_redirect_uris_alone(scene):
    """N-198: what a document names is not asked while people wait."""
    number = next(scene.numbers)
    wanted = CODEX | {
        "subject_type": "pairwise",
        "sector_identifier_uri": scene.publish([ONE, LOOPBACK]),
    }
    web, device = (
        scene.host.put(wanted | {"redirect_uris": [uri]}, f"/{kind}/{number}.json")
        for kind, uri in (("web", ONE), ("device", LOOPBACK))
    )
    http = scene.stage.browser(ANONYMOUS)

    assert is_waiting(http.get(Machine(http, web, redirect_uri=ONE).asking()))
    assert scene.sector_of(web) == "one.example"
    assert is_refused_here(
        http.get(Machine(http, device, redirect_uri=LOOPBACK).asking()), 400, NO_SECTOR
    )
    assert scene.host.asked[-2:] == [f"/web/{number}.json", f"/device/{number}.json"]
