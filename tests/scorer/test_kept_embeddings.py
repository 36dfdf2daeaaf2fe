"""Texts are read once, within a run and from one run to the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rolecall.registry.scorer.encoder import Encoder, KeptEmbeddings, embeddings_file
from tests.scorer.tiny import TinyEncoder


class Counting(TinyEncoder):
    """Says what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.read += texts
        return super().encode(texts)


def test_a_text_is_read_once_and_given_in_the_order_asked() -> None:
    inner = Counting()
    kept = KeptEmbeddings(cast("Encoder", inner))
    first = kept.encode(["sums one", "poems"])
    again = kept.encode(["poems", "sums two", "sums one"])
    assert inner.read == ["sums one", "poems", "sums two"]
    assert np.array_equal(again[[2, 0]], first)
    assert np.array_equal(again[1:2], TinyEncoder().encode(["sums two"]))
    kept.save()  # nowhere: nothing to do


def test_what_was_saved_is_read_by_nobody_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "embeddings.npz"
    kept = KeptEmbeddings(cast("Encoder", Counting()), path)
    found = kept.encode(["sums one", "sums two"])
    assert not path.exists()
    kept.save()
    later = Counting()
    again = KeptEmbeddings(cast("Encoder", later), path)
    assert np.array_equal(again.encode(["sums one", "sums two"]), found)
    again.encode(["poems"])
    assert later.read == ["poems"]
    again.save()
    assert KeptEmbeddings(cast("Encoder", later), path).encode(["poems"]).shape == (1, 2, 384)
    assert later.read == ["poems"]


def test_another_encoder_has_another_file(tmp_path: Path) -> None:
    files = []
    for graph in (b"one", b"two"):
        (tmp_path / "model.onnx").write_bytes(graph)
        files.append(embeddings_file(tmp_path / "kept", tmp_path))
    assert files[0] != files[1]
    assert {path.parent for path in files} == {tmp_path / "kept"}
