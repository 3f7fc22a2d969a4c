"""Owns what counts as a picture: one still PNG, JPEG or WebP, by its own bytes and to its end."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain import errors

LARGEST_BYTES = 256 * 1024
LARGEST_SIDE = 2048
REFUSED = (
    "It is not one still picture in PNG, JPEG or WebP of at most 256 KB and 2048 pixels a side,"
    " with nothing after it."
)

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
FRAMES = frozenset((0xC0, 0xC1, 0xC2))
"""Markers that begin a frame of JPEG as browsers show it."""
BARE = frozenset((0x01, *range(0xD0, 0xDA)))
"""Markers without a length, which have no place before a picture's data."""
STREAMS = (b"VP8 ", b"VP8L")
ANIMATED = frozenset((b"acTL", b"fcTL", b"fdAT", b"ANIM", b"ANMF"))
"""What follows the first look could be another picture than the one that was looked at."""

Size = tuple[int, int]


class Broken(Exception):
    """Raised when bytes are no picture of their format."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes say of themselves."""

    media_type: str
    width: int
    height: int


def read(content: bytes) -> Picture:
    """Return what a picture is; raises InvalidRequest for everything else, SVG included."""
    try:
        if len(content) > LARGEST_BYTES:
            raise Broken
        media_type, size = recognise(content)
    except (Broken, struct.error, IndexError):
        raise errors.InvalidRequest(REFUSED) from None
    if not all(0 < side <= LARGEST_SIDE for side in size):
        raise errors.InvalidRequest(REFUSED)
    return Picture(media_type, *size)


def recognise(content: bytes) -> tuple[str, Size]:
    """Return media type and size by the first bytes, whatever anybody says of them."""
    if content.startswith(PNG):
        return "image/png", size_of_png(content)
    if content.startswith(JPEG):
        return "image/jpeg", size_of_jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", size_of_webp(content)
    raise Broken


def size_of_png(content: bytes) -> Size:
    """Return width and height of a PNG that is whole (PNG third edition, section 5)."""
    chunks = list(png_chunks(content))
    names = [name for name, _ in chunks]
    header = chunks[0][1]
    demand(names[0] == b"IHDR" and len(header) == 13 and names[-1] == b"IEND")
    demand(names.count(b"IHDR") == names.count(b"IEND") == 1 and b"IDAT" in names)
    demand(ANIMATED.isdisjoint(names))
    width, height = struct.unpack_from(">II", header)
    return width, height


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of each chunk, up to the last byte."""
    at = len(PNG)
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        demand(zlib.crc32(name + data) == checksum)
        yield name, data
        at += 12 + length


def size_of_jpeg(content: bytes) -> Size:
    """Return width and height of a JPEG, from its one frame before the data (ITU-T T.81 B.2)."""
    demand(content.endswith(b"\xff\xd9"))
    at, sizes = 2, []
    while content[at + 1] != 0xDA:
        demand(content[at] == 0xFF and content[at + 1] not in BARE)
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        demand(length >= 2)
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            sizes.append((width, height))
        at += 2 + length
    demand(content[at] == 0xFF and len(sizes) == 1)
    return sizes[0]


def size_of_webp(content: bytes) -> Size:
    """Return width and height of a WebP that is whole (RFC 9649 section 2)."""
    (length,) = struct.unpack_from("<I", content, 4)
    demand(length + 8 == len(content))
    chunks = list(riff_chunks(content))
    names = [name for name, _ in chunks]
    demand(ANIMATED.isdisjoint(names))
    streams = [(name, data) for name, data in chunks if name in STREAMS]
    demand(len(streams) == 1)
    size = size_of_stream(*streams[0])
    if names[0] == b"VP8X":
        canvas = chunks[0][1]
        demand(len(canvas) == 10 and not canvas[0] & 0x02)  # the flag of an animation
        sides = (1 + int.from_bytes(canvas[at : at + 3], "little") for at in (4, 7))
        demand(tuple(sides) == size)
    else:
        demand(len(chunks) == 1)
    return size


def riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of each chunk, up to the last byte; odd ones are padded."""
    at = 12
    while at < len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        at += 8 + length + length % 2
        demand(at <= len(content))
        yield name, content[at - length - length % 2 : at - length % 2]


def size_of_stream(name: bytes, data: bytes) -> Size:
    """Return width and height of lossy (RFC 6386 section 9.1) or lossless data."""
    if name == b"VP8 ":
        demand(not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a")
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    signature, bits = struct.unpack_from("<BI", data)
    demand(signature == 0x2F and bits >> 29 == 0)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def demand(true: bool) -> None:
    """Raise Broken unless something is so."""
    if not true:
        raise Broken
