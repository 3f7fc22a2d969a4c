"""House section 5: nothing grows beyond what fits on a few screens."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py")) + sorted((ROOT / "migrations").glob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))

FILE = 250
FUNCTION = 40
TEMPLATE = 120


def named(path: Path) -> str:
    """Return the path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def long_functions(source: str) -> Iterator[str]:
    """Yield each function that is longer than allowed, decorators and docstring included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            length = node.end_lineno - first + 1
            if length > FUNCTION:
                yield f"{node.name} has {length} lines"


def longer(paths: list[Path], limit: int) -> dict[str, int]:
    """Return the files with more lines than allowed."""
    lengths = {named(path): len(path.read_text().splitlines()) for path in paths}
    assert len(lengths) > 50, "the files were not found"
    return {name: length for name, length in lengths.items() if length > limit}


def test_a_source_file_is_not_too_long():
    assert longer(SOURCES, FILE) == {}


def test_no_function_is_too_long():
    found = {named(path): list(long_functions(path.read_text())) for path in SOURCES}

    assert {name: said for name, said in found.items() if said} == {}


def test_a_template_is_not_too_long():
    assert longer(TEMPLATES, TEMPLATE) == {}


def test_a_function_of_forty_one_lines_is_found():
    body = "    pass\n" * 38

    assert list(long_functions("@decorated\ndef fits():\n" + body)) == []
    assert list(long_functions("@decorated\ndef long():\n    pass\n" + body)) == [
        "long has 41 lines"
    ]
