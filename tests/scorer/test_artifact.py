from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.core.predictions import ModelFacts
from rolecall.registry.scorer.artifact import (
    SEEN_FILE,
    load_head,
    load_seen,
    prompt_key,
    save_head,
    write_seen,
)
from rolecall.registry.scorer.card import PRETRAINED, card, check
from rolecall.registry.scorer.model import Scorer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped artifact to damage."""
    return Path(shutil.copytree(PRETRAINED, tmp_path / "artifact"))


def test_the_shipped_artifact_is_whole_and_at_most_30_mb() -> None:
    check()
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) <= 30_000_000


@pytest.mark.parametrize("name", ["head.bin", "length.bin", "model.onnx", "tokenizer.json"])
def test_a_missing_file_makes_the_scorer_unusable(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ScorerUnusable) as caught:
        Scorer.load(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", ["head.bin", "length.bin", "model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("left", [0, 100])
def test_a_cut_off_file_makes_the_scorer_unusable(folder: Path, name: str, left: int) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ScorerUnusable):
        Scorer.load(folder)


@pytest.mark.parametrize("name", ["head.bin", "tokenizer.json"])
def test_one_altered_byte_makes_the_scorer_unusable(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ScorerUnusable, match="damaged"):
        Scorer.load(folder)


def test_an_encoder_of_the_right_size_but_of_rubbish_is_unusable(folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(ScorerUnusable, match="encoder"):
        Scorer.load(folder)


def test_a_full_check_notices_what_loading_does_not_read(folder: Path) -> None:
    path = folder / "model.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ScorerUnusable, match=r"model\.onnx"):
        check(folder)


def test_another_format_is_refused_by_its_number(folder: Path) -> None:
    path = folder / "head.bin"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"format": 7', b'"format": 9', 1))
    assert path.read_bytes() != content
    with pytest.raises(ScorerUnusable, match="format"):
        Scorer.load(folder)


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"arrays": {}}', "\x00", "not json"])
def test_a_head_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "head.bin").write_text(text + "\n")
    with pytest.raises(ScorerUnusable):
        load_head(folder)


def test_a_saved_head_loads_as_it_was(scorer: Scorer, folder: Path) -> None:
    save_head(scorer.head, folder)
    again = Scorer.load(folder)
    reading = scorer.read("Which is larger, 9.9 or 9.11?")
    unheard_of = [ModelFacts("unheard-of-7b", parameters_b=7.0), ModelFacts("gpt-9")]
    assert again.predict(reading, unheard_of) == scorer.predict(reading, unheard_of)
    assert again.read("hi").difficulty == scorer.read("hi").difficulty
    assert (again.read("Which is larger, 9.9 or 9.11?").loading == reading.loading).all()


def test_the_card_tells_what_was_trained_on_and_how_it_fares(scorer: Scorer) -> None:
    found = card()
    assert found["version"] == scorer.version
    for key in ("date", "seed", "data", "split", "settings", "calibration", "kinds", "assumed"):
        assert found[key], key
    assert found["split"]["train_folds"] == [0, 1, 2, 3, 4, 5, 6]
    figures = found["figures"]
    assert figures["fold"] == found["split"]["report_fold"] == 7
    learnt_only = {one["set"] for one in found["data"]["sets"]} - set(figures["sets"])
    assert learnt_only == {"public_scores"}  # prompts of our own, whose scores nobody judged
    assert all(one["from"] and one["licence"] for one in found["data"]["sets"])
    ours, nearest = (figures["by_set"][name] for name in ("ours", "nearest"))
    assert ours["auc"]["mean"] > nearest["auc"]["mean"]
    assert ours["brier"]["mean"] < nearest["brier"]["mean"]
    assert found["sanity"]["passed"] > found["sanity"]["best_constant_passed"]
    assert found["robustness"]["edits"]["balanced"]["share"] < 0.1
    assert not any(part in json.dumps(found) for part in ('"/', "site-packages"))


def test_a_missing_or_broken_card_is_one_clear_failure(tmp_path: Path) -> None:
    for content in (None, "{", "[]"):
        if content is not None:
            (tmp_path / "card.json").write_text(content)
        with pytest.raises(ScorerUnusable):
            card(tmp_path)


def test_reading_the_card_imports_no_numpy() -> None:
    code = (
        "import sys; from rolecall.registry.scorer.card import card; card();"
        "print(sorted({'numpy', 'onnxruntime', 'tokenizers', 'torch'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_scoring_imports_no_torch_and_no_training_code() -> None:
    code = (
        "import sys; from rolecall.registry.scorer.model import Scorer;"
        "from rolecall.registry.scorer import nearest;"
        "Scorer.load().read('hi');"
        "print([name for name in sys.modules if name == 'torch' or name == 'yaml'"
        " or '.training' in name or name.startswith(('transformers', 'sentence_'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_the_keys_of_prompts_learned_from_are_kept_once_and_found_again(tmp_path: Path) -> None:
    assert load_seen(tmp_path) == frozenset()
    assert prompt_key(" abc ") == 0xBA7816BF8F01CFEA  # the start of the SHA-256 of the text
    said = ["write a poem", "sort this", "größe \ud800", "sort this\n"]
    write_seen(tmp_path, map(prompt_key, said))
    assert (tmp_path / SEEN_FILE).stat().st_size == 3 * 8
    assert load_seen(tmp_path) == {prompt_key(text) for text in said}
