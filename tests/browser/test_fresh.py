"""Signing in again in a real browser, and what was typed before; what changed while away (C-12)."""

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.domain.sessions import Session
from app.extensions import db
from tests.browser.looks import check_looks
from tests.browser.site import Site
from tests.browser.steps import expect_heading, press, sign_in
from tests.flows.person import Person


def make_old(site: Site, person: Person) -> None:
    """Let the sessions of somebody be of half an hour ago."""
    with site.app.app_context():
        mine = Session.user_id == person.user_id
        db.session.execute(
            sa.update(Session).where(mine).values(auth_time=Session.auth_time - 1800)
        )
        db.session.commit()


def test_what_was_typed_is_sent_after_signing_in_again(page: Page, site: Site) -> None:
    admin = site.add("admin")
    page.goto(site.url("/admin/scopes/edit?name=phone"))
    sign_in(page, admin)
    page.get_by_label("In plain words").fill("See your number & call you")
    make_old(site, admin)
    press(page, "Save")
    expect(page.get_by_text("needs a sign-in of the last five minutes")).to_be_visible()
    sign_in(page, admin)
    expect_heading(page, "Send it now?")
    check_looks(page)

    press(page, "Send it")

    expect_heading(page, "Scopes")
    expect(page.get_by_text("See your number & call you")).to_be_visible()


def test_a_change_made_elsewhere_is_told_on_the_first_page_of_the_account(
    page: Page, another_page: Callable[[], Page], site: Site, member: Person
) -> None:
    page.goto(site.url("/account/password"))
    sign_in(page, member)
    page.get_by_label("Password you have now").fill(member.password)
    page.get_by_label("New password").fill("another sentence that nobody says")
    press(page, "Change password")
    expect(page.get_by_text("Your password is changed")).to_be_visible()

    elsewhere = another_page()
    elsewhere.goto(site.url("/account/"))
    sign_in(elsewhere, member, "another sentence that nobody says")

    expect(elsewhere.get_by_text("Your password was changed")).to_be_visible()
    check_looks(elsewhere)
    elsewhere.reload()
    expect(elsewhere.get_by_text("Your password was changed")).to_have_count(0)
