"""A body is decompressed piece by piece, up to a limit, whatever it would grow to."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest

from rolecall.registry.core.errors import CallFailed
from rolecall.registry.providers.http import decoding
from rolecall.registry.providers.http.decoding import MAX_ANSWER_BYTES, decoded_pieces

TEXT = b"".join(b"line %d of an answer\n" % number for number in range(5_000))


class Body(httpx.SyncByteStream):
    """A body that arrives in pieces of so many bytes."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content, self._size = content, size

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), self._size):
            yield self._content[start : start + self._size]


def response(content: bytes, encoding: str, size: int = 65_536) -> httpx.Response:
    headers = {"content-encoding": encoding} if encoding else {}
    return httpx.Response(200, headers=headers, stream=Body(content, size))


def bare_deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize("size", [1, 7, 65_536])
@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), "GZIP"),
        (gzip.compress(TEXT[:50_000]) + gzip.compress(TEXT[50_000:]), "x-gzip"),
        (zlib.compress(TEXT), "deflate"),
        (bare_deflated(TEXT), "deflate"),
    ],
)
def test_any_cut_of_the_bytes_gives_the_same_body(content: bytes, encoding: str, size: int) -> None:
    assert b"".join(decoded_pieces(response(content, encoding, size))) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br"])
def test_a_compression_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(CallFailed, match=f"compressed by {encoding}, which was not asked for"):
        list(decoded_pieces(response(b"anything", encoding)))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_damaged_data_are_an_invalid_response(encoding: str) -> None:
    with pytest.raises(CallFailed, match="compression is damaged"):
        list(decoded_pieces(response(b"no such format at all", encoding)))


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_a_body_over_the_limit_is_given_up_in_little_memory(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_ANSWER_BYTES", 4 * 1024 * 1024)
    bomb = bytes(64 * 1024 * 1024)
    packed = {"": bomb, "gzip": gzip.compress(bomb, 1), "deflate": zlib.compress(bomb, 1)}[encoding]
    found = response(packed, encoding, size=1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(CallFailed, match="the answer is over 4 MiB"):
            for _ in decoded_pieces(found):
                pass
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_an_answer_may_be_64_mib_long() -> None:
    assert MAX_ANSWER_BYTES == 64 * 1024 * 1024
