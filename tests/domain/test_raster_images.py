"""What is a picture here: one still PNG, JPEG or WebP by its bytes alone (security.md X-32)."""

import pytest

from app.domain.errors import InvalidRequest
from app.domain.raster_images import LARGEST_BYTES, REFUSED, Picture, read
from tests.domain.pictures import (
    END,
    PNG,
    chunk,
    extended,
    frame,
    jpeg,
    lossless,
    lossy,
    png,
    riff,
    webp,
)

HTML, SVG = b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"
PADDING = LARGEST_BYTES - len(png()) - 12
GOOD = {
    "PNG": (png(2048, 1), Picture("image/png", 2048, 1)),
    "PNG of 256 KB": (png(2, 2, chunk(b"tEXt", bytes(PADDING))), Picture("image/png", 2, 2)),
    "JPEG": (jpeg(), Picture("image/jpeg", 3, 2)),
    "progressive JPEG": (jpeg(frame(9, 8, b"\xc2")), Picture("image/jpeg", 9, 8)),
    "lossy WebP": (webp(lossy(5, 4)), Picture("image/webp", 5, 4)),
    "lossless WebP": (webp(lossless(2048, 7)), Picture("image/webp", 2048, 7)),
    "extended WebP": (webp(extended(5, 4), lossy(5, 4)), Picture("image/webp", 5, 4)),
}
HOSTILE = {
    "nothing": b"",
    "SVG": SVG,
    "SVG after the mark of a PNG": PNG + SVG,
    "HTML": HTML,
    "HTML after a PNG": png() + HTML,
    "HTML after a JPEG": jpeg() + HTML,
    "HTML after a WebP": webp(lossy(1, 1)) + HTML,
    "HTML before a PNG": HTML + png(),
    "GIF": b"GIF89a\x01\0\x01\0\0\0\0;",
    "BMP": b"BM" + bytes(60),
    "AVI": b"RIFF\x04\0\0\0AVI ",
    "257 KB": png(2, 2, chunk(b"tEXt", bytes(PADDING + 1))),
    "PNG of no pixel": png(0, 1),
    "PNG too wide": png(2049, 1),
    "PNG of 2^32 - 1 pixels": png(1, 2**32 - 1),
    "PNG with another checksum": png()[:-1] + b"\0",
    "PNG with a chunk of 4 GB": PNG + b"\xff\xff\xff\xffIHDR" + bytes(20),
    "PNG without data": PNG + chunk(b"IHDR", b"\0\0\0\1" * 2 + b"\x08\0\0\0\0") + chunk(b"IEND"),
    "PNG with two headers": png(1, 1, chunk(b"IHDR", b"\0\0\0\1" * 2 + b"\x08\0\0\0\0")),
    "PNG that moves": png(1, 1, chunk(b"acTL", b"\0\0\0\2\0\0\0\0")),
    "PNG that begins elsewhere": PNG + chunk(b"tEXt") + png()[8:],
    "JPEG of no pixel": jpeg(frame(1, 0)),
    "JPEG too high": jpeg(frame(1, 2049)),
    "JPEG without a frame": jpeg(b"\xff\xe1\0\x02"),
    "JPEG with two frames": jpeg(frame(1, 1), frame(2000, 2000)),
    "JPEG with a segment of no length": jpeg(b"\xff\xe1\0\0", frame(1, 1)),
    "JPEG that ends before its data": b"\xff\xd8" + frame(1, 1) + END,
    "JPEG without an end": jpeg(end=b""),
    "WebP too wide": webp(lossless(2049, 1)),
    "WebP of no pixel": webp(lossy(0, 1)),
    "WebP that moves": webp(extended(1, 1, 0x02), riff(b"ANIM", bytes(6))),
    "WebP that moves a little": webp(extended(1, 1, 0x02), lossy(1, 1)),
    "WebP with two pictures": webp(extended(1, 1), lossy(1, 1), lossless(1, 1)),
    "WebP larger inside": webp(extended(1, 1), lossy(2, 2)),
    "WebP with a longer chunk": webp(b"VP8 \xff\0\0\0" + bytes(20)),
    "WebP without a picture": webp(riff(b"EXIF", b"ab")),
    "WebP of no chunk": webp(),
}


@pytest.mark.parametrize("content, picture", GOOD.values(), ids=GOOD)
def test_a_picture_is_what_its_bytes_say(content, picture):
    assert read(content) == picture


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_everything_else_is_refused_with_one_sentence(content):
    with pytest.raises(InvalidRequest, match=REFUSED):
        read(content)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "lossy WebP", "lossless WebP", "extended WebP"])
def test_no_beginning_of_a_picture_is_one(name):
    whole, _ = GOOD[name]

    for length in range(len(whole)):
        with pytest.raises(InvalidRequest):
            read(whole[:length])
