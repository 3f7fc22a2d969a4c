"""Contact details: which are taken, and when a number is verified."""

import pytest

from app.domain import errors
from app.domain.contact_details import Details, read

NUMBER = "+4930123456"


@pytest.mark.parametrize(
    "typed, number",
    [
        ("+49 (30) 12-34.56", NUMBER),
        (f"  {NUMBER} ", NUMBER),
        ("+1/650/5551234", "+16505551234"),
        ("", None),
        (" - ", None),
    ],
)
def test_a_number_is_kept_in_e_164(typed, number):
    assert read(Details(), typed, "", verified=None).phone_number == number


@pytest.mark.parametrize(
    "typed",
    [
        "030123456",
        "+0301234567",
        "+49301",
        "+4930123456789012",
        "+49x30123456",
        "+\u0664\u0669301234",
    ],
)
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(errors.InvalidRequest):
        read(Details(), typed, "", verified=None)


def test_an_address_keeps_its_lines_and_nothing_that_is_not_seen():
    typed = "Ada Lovelace\r\n\r\n  1  Main Street \n\u200b\n"

    assert read(Details(), "", typed, verified=None).address == "Ada Lovelace\n1 Main Street"
    assert read(Details(), "", " \n ", verified=None).address is None


@pytest.mark.parametrize(
    "typed", ["x\n" * 9, f"{'x' * 90}\n" * 6, "y" * 101, "nul\0", "turn\u202ened", "a" * 2000]
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(errors.Refusal):
        read(Details(), "", typed, verified=None)


@pytest.mark.parametrize(
    "before, typed, said, after",
    [
        (Details(), NUMBER, None, False),
        (Details(), NUMBER, True, True),
        (Details(), "", True, False),
        (Details(NUMBER, True), "+49 30 123456", None, True),
        (Details(NUMBER, True), "+4930123457", None, False),
        (Details(NUMBER, True), "", None, False),
        (Details(NUMBER, True), NUMBER, False, False),
        (Details(NUMBER, False), NUMBER, None, False),
    ],
)
def test_a_number_is_verified_while_it_is_the_one_of_which_that_was_said(
    before, typed, said, after
):
    """OpenID Connect Core section 5.1: true only where it is."""
    assert read(before, typed, "", verified=said).phone_number_verified is after
