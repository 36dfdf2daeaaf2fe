"""The width and height of an image, read from its first bytes or its boxes and tags."""

from __future__ import annotations

import re
import struct

Size = tuple[int, int]


def image_size(data: bytes) -> Size | None:
    """Return an image's width and height in pixels; null where the format or they are unknown.

    Knows PNG, JPEG, GIF, WebP, BMP, TIFF, and the boxes of HEIC and AVIF.
    """
    try:
        found = _size(data)
    except (struct.error, IndexError):
        return None
    return found if found is not None and min(found) > 0 else None


def _size(data: bytes) -> Size | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _unpacked(">II", data, 16)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _unpacked("<HH", data, 6)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", data, 18)
        return abs(width), abs(height)
    if data.startswith((b"II*\0", b"MM\0*")):
        return _tiff(data)
    return _heif(data) if data[4:8] == b"ftyp" else None


def _unpacked(form: str, data: bytes, offset: int) -> Size:
    width, height = struct.unpack_from(form, data, offset)
    return width, height


def _jpeg(data: bytes) -> Size | None:
    """Read the first frame header; segments before it are passed over by their lengths."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp(data: bytes) -> Size | None:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            low, high, top = struct.unpack_from("<HHH", data, 24)
            return (low | (high & 0xFF) << 16) + 1, (high >> 8 | top << 8) + 1
    return None


def _tiff(data: bytes) -> Size | None:
    """Read the tags ImageWidth (256) and ImageLength (257) of the first directory."""
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, at)
    found: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    return (found[256], found[257]) if len(found) == 2 else None


def _heif(data: bytes) -> Size | None:
    """Return the largest image that the file describes: tiles and thumbnails are smaller."""
    sizes = [
        _unpacked(">II", data, found.end() + 4) for found in re.finditer(b"ispe", data[: 1 << 20])
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)
