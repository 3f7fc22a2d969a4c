"""Vendored files are the ones we looked at: their sums are written down beside them."""

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")
MANIFEST = "SHA256SUMS"


def written(folder: Path) -> dict[str, str]:
    """Return the sums in a folder's manifest by file name (the format of sha256sum)."""
    lines = (folder / MANIFEST).read_text().splitlines()
    return {name.strip(): digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def computed(folder: Path) -> dict[str, str]:
    """Return the sums of the files in a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_vendored_file_is_the_one_in_the_manifest(folder):
    assert computed(folder) == written(folder)
    assert written(folder) != {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_vendored_script_has_its_license_beside_it(folder):
    scripts = list(folder.rglob("*.js"))
    licenses = {path.name.split(".")[0].split("-")[0] for path in folder.rglob("*LICENSE*")}

    assert scripts != []
    assert {path.name.split(".")[0].split("-")[0] for path in scripts} - licenses == set()
