"""Small files of each kind, made here byte by byte."""

from __future__ import annotations

import struct
import zlib

WORDS = "north wind moves slowly over the grey harbour while clerks count barrels and write figures"


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


def jpeg(width: int, height: int) -> bytes:
    before = b"\xff\xe0\0\x10JFIF" + bytes(10) + b"\xff\xff\xdb\0\x05\0\0\0"
    return b"\xff\xd8" + before + b"\xff\xc2\0\x11\x08" + struct.pack(">HH", height, width)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(16) + struct.pack("<ii", width, -height)


def webp_lossy(width: int, height: int) -> bytes:
    head = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a"
    return head + struct.pack("<HH", width, height)


def webp_lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + bits.to_bytes(4, "little")


def webp_extended(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def tiff(width: int, height: int) -> bytes:
    tags = [(256, 3, width), (257, 3, height)]
    entries = b"".join(struct.pack("<HHIHH", tag, kind, 1, value, 0) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries


def heic(width: int, height: int) -> bytes:
    def box(kind: bytes, width: int, height: int) -> bytes:
        return b"\0\0\0\x14" + kind + struct.pack(">III", 0, width, height)

    thumbnail, whole = box(b"ispe", 320, 240), box(b"ispe", width, height)
    return b"\0\0\0\x18ftypheic" + bytes(12) + thumbnail + whole


def wav(seconds: int) -> bytes:
    rate = 8_000
    data = bytes(rate * seconds)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate, 1, 8)
    body = (
        b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data))
    )
    return b"RIFF" + struct.pack("<I", len(body) + len(data)) + body + data


def mp3(seconds: int) -> bytes:
    """Return frames of 417 bytes at 128 kbit/s and 44.1 kHz, 1,152 samples each."""
    frame = b"\xff\xfb\x90\xc4" + bytes(413)
    return frame * (seconds * 44_100 // 1_152)


def pdf(pages: int, *, packed: bool = True, lines: int = 45) -> bytes:
    """Return a PDF of pages with so many lines of WORDS on each, packed or as they are."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * page) for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(pages):
        line = f"({page}. {WORDS}) Tj 0 -13 Td\n"
        text = f"BT /F1 8 Tf 40 800 Td\n{line * lines}ET".encode()
        data = zlib.compress(text) if packed else text
        how = b" /Filter /FlateDecode" if packed else b""
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * page),
            b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(data), how, data),
        ]
    return _joined(objects)


def pdf_with_objects_in_streams(pages: int) -> bytes:
    """Return a PDF of empty pages whose objects and cross-references are packed streams."""
    kids = b" ".join(b"%d 0 R" % (3 + page) for page in range(pages))
    inner = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        *[b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"] * pages,
    ]
    places, body = [], b""
    for number, content in enumerate(inner, start=1):
        places.append(b"%d %d" % (number, len(body)))
        body += content + b" "
    head = b" ".join(places) + b" "
    holder, table = len(inner) + 1, len(inner) + 2
    data = zlib.compress(head + body)
    start = b"%PDF-1.5\n"
    out = start + b"%d 0 obj\n<< /Type /ObjStm /N %d /First %d" % (holder, len(inner), len(head))
    out += b" /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n" % (
        len(data),
        data,
    )
    rows = [struct.pack(">BIH", 0, 0, 65_535)]
    rows += [struct.pack(">BIH", 2, holder, place) for place in range(len(inner))]
    rows += [struct.pack(">BIH", 1, len(start), 0), struct.pack(">BIH", 1, len(out), 0)]
    entries = zlib.compress(b"".join(rows))
    said = b"/Type /XRef /Size %d /W [1 4 2] /Root 1 0 R" % len(rows)
    return (
        out
        + b"%d 0 obj\n<< %s /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n"
        % (table, said, len(entries), entries)
        + b"startxref\n%d\n%%%%EOF\n" % len(out)
    )


def encrypted_pdf() -> bytes:
    """Return a PDF that says it is encrypted, with a password that nobody has."""
    handler = b"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <%s> /U <%s> >>" % (
        b"00" * 32,
        b"11" * 32,
    )
    ids = b"/ID [<%s> <%s>]" % (b"22" * 16, b"22" * 16)
    return _joined(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
            handler,
        ],
        b"/Encrypt 4 0 R " + ids,
    )


def _joined(objects: list[bytes], trailer: bytes = b"") -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    said = b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        len(out),
    )
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + said
