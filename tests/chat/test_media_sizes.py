"""How large an attachment is, read from its bytes; unknown where they do not say."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.annotations import FreeText

from rolecall.registry.chat.image_sizes import image_size
from rolecall.registry.chat.media_sizes import media_size
from rolecall.registry.chat.parse import parse_chat, request_of
from rolecall.registry.chat.pdf_sizes import pdf_size
from rolecall.registry.core.chat import Media
from rolecall.registry.core.requests import MediaSize
from rolecall.registry.core.text_tokens import text_tokens
from tests.chat import media_files as files

FORMATS = [
    *(files.png, files.jpeg, files.gif, files.bmp, files.tiff, files.heic),
    *(files.webp_lossy, files.webp_lossless, files.webp_extended),
]


def size_of(modality: str, data: bytes) -> MediaSize:
    return media_size(Media(modality, data=base64.b64encode(data).decode()))


@pytest.mark.parametrize("made", FORMATS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("size", [(1_024, 768), (1, 9_000)])
def test_the_size_of_an_image_is_read_from_its_bytes(
    made: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    found = size_of("image", made(*size))
    if made is files.heic and size[0] == 1:
        assert (found.width, found.height) == (320, 240)  # the larger of the two
    else:
        assert (found.width, found.height) == size


@pytest.mark.parametrize("made", FORMATS, ids=lambda made: made.__name__)
def test_an_image_that_is_cut_off_has_no_size(made: Callable[[int, int], bytes]) -> None:
    whole = made(1_024, 768)
    for end in range(0, len(whole) - 4, 3):
        assert image_size(whole[:end]) in (None, (320, 240), (1_024, 768))
    assert image_size(whole[: len(whole) // 2]) is None


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=80))
def test_no_bytes_break_the_reading_of_an_image(
    made: Callable[[int, int], bytes], noise: bytes
) -> None:
    image_size(made(5, 5)[:12] + noise)
    image_size(noise)


@pytest.mark.parametrize("packed", [True, False])
def test_a_pdf_has_its_pages_and_all_of_their_text(packed: bool) -> None:
    found = size_of("pdf", files.pdf(3, packed=packed))
    real = text_tokens("\n".join(f"0. {files.WORDS}" for _ in range(3 * 45)))
    assert found.pages == 3
    assert found.text is not None
    assert found.text.expected == pytest.approx(real.expected, rel=0.1)
    assert found.text.most == pytest.approx(real.most, rel=0.1)


def test_the_annotations_of_a_pdf_are_part_of_its_text() -> None:
    text = "A comment of some words. " * 400
    writer = PdfWriter(clone_from=BytesIO(files.pdf(1)))
    writer.add_annotation(0, FreeText(text=text, rect=(50, 550, 200, 650)))
    noted = BytesIO()
    writer.write(noted)
    plain, found = size_of("pdf", files.pdf(1)).text, size_of("pdf", noted.getvalue()).text
    assert plain is not None
    assert found is not None
    assert found.most >= plain.most + text_tokens(text).most - 5


def test_of_a_long_pdf_the_last_pages_are_measured_by_their_bytes() -> None:
    short, long = pdf_size(files.pdf(40)), pdf_size(files.pdf(400))
    assert short is not None
    assert long is not None
    assert long.pages == 400
    assert 8 * short.text.expected < long.text.expected < 12 * short.text.expected
    assert long.text.most > 10 * short.text.most


def test_pages_are_found_in_packed_objects_and_not_by_what_the_file_says_of_their_number() -> None:
    assert size_of("pdf", files.pdf_with_objects_in_streams(7)).pages == 7
    lying = files.pdf(6).replace(b"/Count 6", b"/Count 1")
    assert size_of("pdf", lying).pages == 6


@pytest.mark.parametrize(
    "data",
    [
        files.encrypted_pdf(),
        b"%PDF-1.4\nnothing else",
        files.pdf(2)[:300],
        b"not even that",
        b"%PDF-1.4\n" + bytes(range(256)) * 9,
    ],
)
def test_a_pdf_that_cannot_be_read_is_of_unknown_size(
    data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    found = size_of("pdf", data)
    assert (found.pages, found.text, found.data_bytes) == (None, None, len(data))
    assert capsys.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_flipped_bytes_break_the_reading_of_a_pdf(data: st.DataObject) -> None:
    whole = bytearray(files.pdf(2, lines=3))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[place] = data.draw(st.integers(0, 255))
    size_of("pdf", bytes(whole))


@pytest.mark.parametrize(("made", "seconds"), [(files.wav, 90), (files.mp3, 60)])
def test_sound_has_its_length_in_seconds(made: Callable[[int], bytes], seconds: int) -> None:
    found = size_of("audio", made(seconds))
    assert found.seconds == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize("told", [16, 0xFFFFFFFF])
def test_sound_lasts_as_long_as_its_bytes_whatever_its_head_says(told: int) -> None:
    whole = files.wav(600)
    place = whole.index(b"data") + 4
    data = whole[:place] + told.to_bytes(4, "little") + whole[place + 4 :]
    assert size_of("audio", data).seconds == pytest.approx(600, abs=1)


def test_sound_that_cannot_be_read_has_no_length() -> None:
    for data in (b"", b"RIFF", b"ID3", b"OggS" + bytes(30), bytes(500)):
        assert (
            media_size(Media("audio", data=base64.b64encode(data).decode() or "AA==")).seconds
            is None
        )


def test_what_is_behind_a_url_is_of_unknown_size() -> None:
    assert media_size(Media("image", url="https://e.org/a.png")) == MediaSize("image")


def test_a_request_knows_the_sizes_of_its_attachments_those_of_tool_results_too() -> None:
    picture = base64.b64encode(files.png(640, 480)).decode()
    block = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": picture},
    }
    document = {
        "messages": [
            {"role": "user", "content": [block, {"type": "text", "text": "What is this?"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look"}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": [block]}],
            },
        ]
    }
    messages = request_of(parse_chat(document, name="x")).messages
    sizes = [(size.width, size.height) for message in messages for size in message.sizes]
    assert sizes == [(640, 480), (640, 480)]
