"""A scorer's folder tells which prompts it has learned from."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.scorer.seen import SEEN_FILE, load_seen, prompt_key, write_seen


def test_the_keys_of_prompts_are_kept_once_and_found_again(tmp_path: Path) -> None:
    said = ["write a poem", "sort this", "größe \ud800", "sort this\n"]
    write_seen(tmp_path, map(prompt_key, said))
    assert (tmp_path / SEEN_FILE).stat().st_size == 3 * 8
    seen = load_seen(tmp_path)
    assert {prompt_key(text) for text in said} == seen
    assert prompt_key("sort that") not in seen


def test_a_key_is_the_start_of_the_hash_of_the_text() -> None:
    assert prompt_key(" abc ") == 0xBA7816BF8F01CFEA


def test_of_a_folder_that_says_nothing_nothing_is_known(tmp_path: Path) -> None:
    assert load_seen(tmp_path) == frozenset()
