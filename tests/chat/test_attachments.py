"""What an attachment is, where what is said of it and its bytes differ."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rolecall.registry.chat.attachments import media_part
from rolecall.registry.core.chat import Media, Text

STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP",
    "application/pdf": b"%PDF-1.7",
}


def packed(start: bytes) -> str:
    return base64.b64encode(start + bytes(20)).decode()


def attached(part: dict[str, Any]) -> Media:
    found = media_part(part, "x")
    assert isinstance(found, Media)
    return found


@pytest.mark.parametrize("said", ["image/png", "image/jpg", "application/octet-stream"])
@pytest.mark.parametrize("kind", list(STARTS))
def test_the_bytes_of_a_picture_tell_its_type(kind: str, said: str) -> None:
    data = packed(STARTS[kind])
    by_url = {"type": "image_url", "image_url": {"url": f"data:{said};base64,{data}"}}
    by_source = {
        "type": "image",
        "source": {"type": "base64", "media_type": said, "data": data},
    }
    for part in (by_url, by_source):
        found = attached(part)
        assert (found.mime_type, found.data) == (kind, data)
        assert found.modality == ("pdf" if kind == "application/pdf" else "image")


def test_what_has_no_start_of_its_own_is_what_it_is_said_to_be() -> None:
    data = packed(b"\x00\x00")
    part = {"type": "image_url", "image_url": {"url": f"data:image/avif;base64,{data}"}}
    assert attached(part).mime_type == "image/avif"
    sound = {"type": "input_audio", "input_audio": {"data": packed(b"OggS"), "format": "opus"}}
    assert attached(sound).mime_type == "audio/opus"


def test_a_text_that_begins_as_a_picture_does_stays_one() -> None:
    data = base64.b64encode(b"GIF89a is how a GIF begins").decode()
    part = {"type": "file", "file": {"file_data": f"data:text/plain;base64,{data}"}}
    assert media_part(part, "x") == Text("GIF89a is how a GIF begins")
