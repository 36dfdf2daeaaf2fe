"""Long inputs and attachments are held to the limits by what they may really cost."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tests.calls.serving import PLAIN, Serving
from tests.chat import media_files as files
from tests.conftest import Rolecall

# At $1 a million tokens in and $2 out.
IDS = " ".join(
    str(uuid.UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for n in range(1, 41)
)


def pdf_file(folder: Path, data: bytes) -> Path:
    path = folder / "book.pdf"
    path.write_bytes(data)
    return path


def test_a_pdf_of_200_pages_is_not_sent_for_what_a_page_costs(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one(capabilities=PLAIN, modalities=("text", "pdf"), context_tokens=2_000_000)
    book = pdf_file(tmp_path, files.pdf(200))
    refused = rolecall("ask", "Summarise", "-a", book, "--max-cost", "0.02")
    assert (refused.exit_code, refused.stdout) == (6, "")
    assert serving.server.requests == []
    assert rolecall("ask", "Summarise", "-a", book, "--max-cost", "9").exit_code == 0


def test_one_page_of_a_pdf_is_cheap(serving: Serving, rolecall: Rolecall, tmp_path: Path) -> None:
    serving.one(capabilities=PLAIN, modalities=("text", "pdf"), context_tokens=16_000)
    page = pdf_file(tmp_path, files.pdf(1))
    assert rolecall("ask", "Summarise", "-a", page, "--max-cost", "0.01").exit_code == 0


@pytest.mark.parametrize("command", ["route", "ask"])
def test_a_pdf_that_cannot_be_read_is_refused_under_a_limit_and_sent_without_one(
    command: str, serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one(capabilities=PLAIN, modalities=("text", "pdf"))
    locked = pdf_file(tmp_path, files.encrypted_pdf())
    refused = rolecall(command, "Summarise", "-a", locked, "--max-cost", "100")
    assert refused.exit_code == 6
    assert "the size of an attachment is unknown; at most $100" in refused.stderr
    assert "hint: say how long the whole input is: --input-tokens N" in refused.stderr
    declared = rolecall(
        command, "Summarise", "-a", locked, "--max-cost", "100", "--input-tokens", "900"
    )
    assert declared.exit_code == 0
    serving.server.requests.clear()
    assert serving.server.requests == []
    free = rolecall(command, "Summarise", "-a", locked)
    assert free.exit_code == 0
    assert "the size of an attachment is unknown: openai/m may not hold it" in free.stderr


def test_identifiers_are_paid_for_as_tokenizers_cut_them(
    serving: Serving, rolecall: Rolecall
) -> None:
    serving.one(capabilities=PLAIN)
    # 40 of them are some 1,000 tokens, of which four bytes a token and 30 % on top make 480.
    asked = ("ask", IDS, "--max-tokens", "1")
    assert rolecall(*asked, "--max-cost", "0.0008").exit_code == 6
    assert rolecall(*asked, "--max-cost", "0.002").exit_code == 0
    assert rolecall(*asked, "--max-cost", "0.0008", "--input-tokens", "700").exit_code == 0


def test_tools_are_paid_for_by_their_bytes(
    serving: Serving, rolecall: Rolecall, tmp_path: Path
) -> None:
    serving.one(capabilities=PLAIN)
    words = {"type": "object", "properties": {"q": {"description": "ค้นหาเอกสารทั้งหมด" * 60}}}
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps([{"name": "look_up", "input_schema": words}]))
    asked = ("ask", "hello", "--tools", tools, "--max-tokens", "1", "--max-cost")
    assert rolecall(*asked, "0.0015").exit_code == 6
    assert rolecall(*asked, "0.005").exit_code == 0
