"""Pictures byte by byte: good ones of each format, and what they are made of."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
END = b"\xff\xd9"


def chunk(name, data=b""):
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width=2, height=2, *more, shade=b"\x40"):
    """Return a PNG in one shade of grey, with more chunks before its data."""
    header = chunk(b"IHDR", struct.pack(">II", width, height) + b"\x08\0\0\0\0")
    rows = (b"\0" + shade * min(width, 4096)) * min(height, 64)
    return PNG + header + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def frame(width, height, marker=b"\xc0"):
    """Return the segment of a JPEG that begins a frame."""
    return b"\xff" + marker + b"\0\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\0"


def jpeg(*segments, end=END):
    """Return the skeleton of a JPEG."""
    parts = segments or (frame(3, 2),)
    return b"\xff\xd8\xff\xe0\0\x04ab" + b"".join(parts) + b"\xff\xda\0\x02data" + end


def riff(name, data):
    """Return one chunk of a WebP."""
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(*chunks):
    """Return the skeleton of a WebP."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lossy(width, height):
    """Return the chunk of lossy data."""
    return riff(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def lossless(width, height):
    """Return the chunk of lossless data."""
    return riff(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14))


def extended(width, height, flags=0):
    """Return the chunk that says how large the canvas is."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return riff(b"VP8X", bytes([flags, 0, 0, 0]) + sides)
