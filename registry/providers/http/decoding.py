"""The body of a response, decompressed in small pieces and up to a limit.

Own code, since httpx decompresses each piece that arrives at once, whatever it grows to.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import httpx

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.error_body import one_line

ACCEPTED = "gzip, deflate"
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_HEADER_BYTES = 2
_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def decoded_pieces(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body piece by piece, decompressed.

    Raises CallFailed `invalid_response` where it is damaged, too long, or compressed in a way that
    was not asked for.
    """
    count = 0
    for piece in _decompressed(response):
        count += len(piece)
        if count > MAX_ANSWER_BYTES:
            limit = MAX_ANSWER_BYTES // (1024 * 1024)
            raise CallFailed("invalid_response", f"the answer is over {limit} MiB")
        yield piece


def _decompressed(response: httpx.Response) -> Iterator[bytes]:
    named = response.headers.get("content-encoding", "").lower().split(",")
    encodings = [name.strip() for name in named if name.strip() not in ("", "identity")]
    if not encodings:
        yield from response.iter_bytes()
    elif encodings in (["gzip"], ["x-gzip"], ["deflate"]):
        form = _ZLIB if encodings == ["deflate"] else _GZIP
        try:
            yield from _inflated(response.iter_raw(), form)
        except zlib.error as error:
            said = "the answer's compression is damaged"
            raise CallFailed("invalid_response", said) from error
    else:
        kind = one_line(", ".join(encodings), 60)
        said = f"the answer is compressed by {kind}, which was not asked for"
        raise CallFailed("invalid_response", said)


def _inflated(pieces: Iterator[bytes], form: int) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEADER_BYTES:
            break
    if form == _ZLIB and not _has_zlib_header(head):
        form = _BARE  # as some servers deflate
    unpacker: Any = zlib.decompressobj(form)
    for piece in chain([head], pieces):
        rest = piece
        while rest:
            if unpacker.eof:  # gzip data may consist of several parts
                unpacker = zlib.decompressobj(form)
            yield unpacker.decompress(rest, _PIECE_BYTES)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
    while not unpacker.eof and (last := unpacker.decompress(b"", _PIECE_BYTES)):
        yield last


def _has_zlib_header(head: bytes) -> bool:
    is_whole = len(head) >= _HEADER_BYTES
    return is_whole and head[0] & 15 == zlib.DEFLATED and (head[0] << 8 | head[1]) % 31 == 0
