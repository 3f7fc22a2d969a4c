"""The glossary: the words of OAuth in headings and labels have a tip that everybody can reach."""

from html import unescape

import pytest

from app.console.glossary import LABELS, TERMS, explain
from tests.console.markup import controls, read

PAGES = (
    "",
    "registrations/",
    "clients/",
    "clients/new?kind=web",
    "clients/new?kind=service",
    "initial-access-tokens/",
    "initial-access-tokens/new",
    "policies/",
    "policies/new",
    "simulator/",
    "statement-issuers/",
    "scopes/",
    "resources/",
    "resources/new",
    "connections/",
    "connections/new",
    "webhooks/",
    "acquire/",
    "audit/",
    "users/",
    "users/new",
    "system/",
    "gate/",
)
LABELLED = ("h1", "h2", "dt", "label", "legend")


@pytest.fixture
def pages(admin, register, find, catalogue):
    """Return the console's pages with their addresses, that of a client and of software too."""
    made = register(scope="tools")["client_id"]
    refresh = f"acquire/?client_id={made}&kind=refresh_token"
    own = (f"clients/{made}", f"clients/edit/{made}", f"registrations/{find().id}", refresh)
    return {path: admin.get(f"/admin/{path}").text for path in (*PAGES, *own)}


def labels(page):
    """Return what the headings and labels of a page say, in small letters."""
    reader, found = read(page), set()
    for tag in LABELLED:
        for part in page.split(f"<{tag}")[1:]:
            words = read(f"<{tag}{part.split(f'</{tag}>')[0]}".partition("<button")[0]).words
            found.add(" ".join("".join(words).removesuffix("(optional)").split()).lower())
    assert reader.elements
    return found


def tips(page):
    """Return the terms that a page explains, each with its button."""
    buttons = controls(page, "button", **{"class": "tip"})
    return {button["popovertarget"].removeprefix("tip-"): button for button in buttons}


def slug(term):
    return term.lower().replace(" ", "-")


def test_every_heading_and_label_that_is_a_term_has_a_tip(pages):
    for path, page in pages.items():
        terms = {LABELS.get(label, label) for label in labels(page)} & set(TERMS)
        assert {slug(term) for term in terms} == set(tips(page)), path


def test_every_term_is_explained_somewhere(pages):
    explained = {term for page in pages.values() for term in tips(page)}

    assert {slug(term) for term in TERMS} - explained == set()
    assert set(LABELS.values()) <= set(TERMS)
    assert len(TERMS) <= 25


def test_a_tip_is_reached_by_key_and_finger_and_says_the_sentence_once(pages):
    """A button opens it where no script runs, and screen readers read it with the button."""
    sentences = {slug(term): sentence for term, sentence in TERMS.items()}
    for path, page in pages.items():
        for term, button in tips(page).items():
            [text] = controls(page, "span", id=f"tip-{term}")
            assert "popover" in text, path
            assert button["type"] == "button"
            assert button["aria-describedby"] == f"tip-{term}"
            assert button["aria-label"].startswith("What “")
            assert unescape(page).count(f">{sentences[term]}</span>") == 1, path


def test_a_page_explains_a_term_once(app):
    with app.test_request_context():
        assert explain("Scopes") == ("scope", TERMS["scope"])
        assert explain("Only these scopes") is None
        assert explain("Colour") is None
