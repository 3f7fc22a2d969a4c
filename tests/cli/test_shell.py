"""What is printed for people stays on its line."""

import click
import pytest

from app.cli.shell import show_rows, written


@pytest.mark.parametrize(
    "value, line",
    [
        ("plain", "plain"),
        ("Übergröße ✓", "Übergröße ✓"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        (["a", "b\n"], r"a b\n"),
        ({"a": "\x9b"}, r'{"a": "\x9b"}'),
        (None, ""),
        (0, "0"),
    ],
)
def test_what_a_stranger_chose_cannot_move_the_cursor(value, line):
    assert written(value) == line


def test_a_table_has_its_columns_under_each_other(capsys):
    with click.Context(click.Command("any")):
        show_rows([{"a": "long value", "b": 1}, {"a": "x", "b": None}], ("a", "b"))

    assert capsys.readouterr().out == "a           b\nlong value  1\nx\n"
