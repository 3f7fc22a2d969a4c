"""The simulator: what rules would say, in force or drafted, about what is pasted or was there."""

import json

import pytest

from app.domain import policy_versions, registration_tokens, rules
from app.domain.audit import SERVER
from app.domain.obligations import Obligations, Terms
from app.extensions import db
from tests.console.markup import HOSTILE, controls, shape, texts
from tests.console.matrix import gets, harmful, posts, unlisted, wrongly_reached

PAGE = "/admin/simulator/"
ROUTES = (
    ("GET", PAGE, "viewer"),
    ("POST", f"{PAGE}judge", "viewer"),
    ("POST", f"{PAGE}replay", "viewer"),
)
EDITOR = json.dumps({"client_name": "Editor", "redirect_uris": ["http://127.0.0.1:1/cb"]})
DRAFT = """
rules:
- name: editors
  outcome: admit
  when: {redirect_host: loopback, network: 192.0.2.0/24}
  then: {scopes: [tools], approve_days: 30}
- name: nobody else
  outcome: refuse
  message: Not from there.
"""


@pytest.fixture
def in_force(app):
    """Put one rule in force that holds everything."""
    with app.app_context():
        written = rules.all_from_json([{"name": "ask", "outcome": "hold", "shadow": False}])
        policy_versions.save(written, 0, by=SERVER)
        db.session.commit()


def test_what_is_pasted_is_judged_by_the_rules_in_force(viewer, send, in_force):
    said = texts(send(viewer, f"{PAGE}judge", metadata=EDITOR).text)

    assert "The verdict Hold" in said
    assert "Decided by ask" in said
    assert "waits until a person decides" in said
    assert "refused software No match" in said


@pytest.mark.parametrize(
    "address, expected",
    [
        ("192.0.2.1", ("Admit", "works at once", "Scopes tools", "approved for 30 days")),
        ("198.51.100.1", ("Refuse", "Not from there. If you need it, ask", "Not met: Network.")),
    ],
)
def test_a_draft_is_tried_before_it_is_in_force(
    viewer, send, catalogue, in_force, address, expected
):
    answer = send(viewer, f"{PAGE}judge", metadata=EDITOR, rules=DRAFT, address=address)

    said = texts(answer.text)
    assert [words for words in expected if words not in said] == []
    assert "Decided by ask" not in said


def test_a_statement_is_tried_by_its_issuer(viewer, send, catalogue):
    draft = "rules: [{name: v, outcome: admit, when: {statement_issuer: 'https://vendor.example'}}]"
    tried = {"metadata": EDITOR, "rules": draft}

    said = [
        texts(send(viewer, f"{PAGE}judge", **tried, statement_issuer=issuer).text)
        for issuer in ("https://vendor.example", "")
    ]

    assert ["Decided by v" in each for each in said] == [True, False]
    assert "A software statement of https://vendor.example vouches for it." in said[0]


@pytest.mark.parametrize(
    "verdict, expected",
    [
        ("admit", ("Decided by initial access token", "works at once", "Scopes tools")),
        ("hold", ("Decided by initial access token", "waits until a person decides")),
    ],
)
def test_a_token_is_tried_with_its_terms(app, viewer, send, catalogue, verdict, expected):
    with app.app_context():
        terms = Terms(verdict, Obligations(("tools",)))
        row, _ = registration_tokens.create("Pipeline", by=SERVER, terms=terms)
        db.session.commit()
        token_id = row.id

    said = texts(send(viewer, f"{PAGE}judge", metadata=EDITOR, token=token_id).text)

    assert [words for words in expected if words not in said] == []
    assert send(viewer, f"{PAGE}judge", metadata=EDITOR, token="\0").status_code == 200


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"metadata": ""}, "Client metadata must be a JSON object."),
        ({"metadata": "{"}, "not valid YAML"),
        ({"metadata": '{"redirect_uris": ["http://a.example"]}'}, "may use http only for"),
        ({"rules": "rules: 7"}, "must be lists"),
        ({"rules": "rules: [{name: a, outcome: allow}]"}, "must be admit, hold or refuse"),
        ({"address": "a\nb"}, "must not contain control"),
    ],
    ids=str,
)
def test_what_cannot_be_judged_says_why_and_keeps_what_was_typed(viewer, send, fields, sentence):
    answer = send(viewer, f"{PAGE}judge", **{"metadata": EDITOR} | fields)

    assert answer.status_code == 422
    assert sentence in texts(answer.text)
    assert "The verdict" not in answer.text
    assert "Editor" in answer.text or "metadata" in fields


def test_the_past_is_judged_again_by_a_draft(viewer, send, register, in_force):
    register(client_name="Local", redirect_uris=["http://127.0.0.1:7/cb"])
    register(client_name="Web")

    same = send(viewer, f"{PAGE}replay", last="100")
    drafted = texts(send(viewer, f"{PAGE}replay", last="300", rules=DRAFT).text)

    assert "2 arrivals, 0 decided otherwise" in texts(same.text)
    assert "2 arrivals, 2 decided otherwise" in drafted
    assert "nobody else" in drafted
    assert send(viewer, f"{PAGE}replay", last="7").status_code == 422


def test_a_past_arrival_is_opened_with_what_was_known_of_it(viewer, register, in_force):
    register(client_name="Web")
    link = next(
        each["href"] for each in controls(viewer.get(PAGE).text, "a") if "event=" in each["href"]
    )

    page = viewer.get(link).text

    assert "which was decided as Hold by ask" in texts(page)
    assert '"client_name": "Web"' in texts(page)
    for wrong in ("0", "x", "9" * 30, "1"):
        assert "The verdict" not in viewer.get(f"{PAGE}?event={wrong}").text


def test_hostile_words_add_no_element_and_no_attribute(viewer, send):
    """C-32."""
    pages = [
        send(
            viewer,
            f"{PAGE}judge",
            metadata=json.dumps({"client_name": name, "redirect_uris": ["http://127.0.0.1/cb"]}),
            address=name,
        ).text
        for name in ("Plain", *HOSTILE)
    ]
    assert [shape(page) == shape(pages[0]) for page in pages] == [True] * len(pages)


def test_each_address_is_open_to_its_role_and_those_above(anybody, app):
    """C-40, C-42, X-48."""
    assert wrongly_reached(*anybody, ROUTES) == []
    assert unlisted(app, "simulator", ROUTES) == set()


def test_trying_changes_nothing(admin, app, register, send, csrf):
    """C-20, C-21, X-46: not even with the token of the page."""
    register()
    token = csrf(admin)
    sent = {"csrf_token": token, "metadata": EDITOR, "rules": DRAFT, "last": "100"}

    assert harmful(app, admin, "GET", gets(ROUTES)) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 400) == []
    assert harmful(app, admin, "POST", posts(ROUTES), 200, data=sent) == []
