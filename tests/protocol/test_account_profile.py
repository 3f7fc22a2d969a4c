"""A person's own profile: what apps are told, who says that it is true, and what is kept of it."""

from app.domain import contact_details
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.markup import controls, texts

PAGE = "/account/profile"
NUMBER, ADDRESS = "+49 30 123456", "Ada Lovelace\n1 Main Street"


def save(person, **changes):
    """Send the form."""
    return person.submit(person.open(PAGE), PAGE, **changes)


def test_somebody_changes_how_they_can_be_reached(app, person, audited):
    """The trail has neither number nor address."""
    person.sign_in()
    assert save(person, phone_number=NUMBER, address=ADDRESS).location == PAGE

    page = person.open(PAGE).text
    (number,) = controls(page, name="phone_number")
    assert number["value"] == "+4930123456"
    assert "Telephone number not verified" in texts(page)
    assert "1 Main Street" in texts(page)
    save(person, address=ADDRESS)
    (event,) = audited("user.contact_changed")
    assert (event.actor_id, event.subject) == (person.user_id, person.user_id)
    assert event.detail == {"changed": ["phone_number", "address"]}
    assert "Your telephone number or postal address was changed." in texts(
        person.open("/account/activity").text
    )


def test_nobody_verifies_their_own_number(app, person):
    verified = contact_details.Details("+4930123456", True, None)
    with app.app_context():
        contact_details.change(person.user_id, verified, by=SERVER)
        db.session.commit()
    person.sign_in()

    save(person, address=ADDRESS)
    assert "verified by an administrator" in texts(person.open(PAGE).text)
    save(person, phone_number="+4930123457", verified="on", phone_number_verified="on")
    assert "Telephone number not verified" in texts(person.open(PAGE).text)
    with app.app_context():
        assert contact_details.find(person.user_id)[:2] == ("+4930123457", False)


def test_what_is_no_number_changes_nothing_and_is_shown_again(app, person):
    person.sign_in()

    page = save(person, phone_number="<b>12", address=ADDRESS)

    assert page.status_code == 422
    assert "A telephone number begins with +" in texts(page.text)
    assert "&lt;b&gt;12" in page.text
    with app.app_context():
        assert contact_details.find(person.user_id) == contact_details.Details()
