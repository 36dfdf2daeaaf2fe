"""The least a cold local decision can cost: load what the scorer loads, score one prompt.

Knows nothing of rolecall but the folder of its artifact, so that it stays an outside yardstick.
"""

import os
import sys
from pathlib import Path

# As rolecall does: reporting each use to onnxruntime's maker takes time of its own.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import tokenizers

folder, prompt = Path(sys.argv[1]), sys.argv[2]
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(
    str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
)
encoding = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode(prompt)
feeds = {
    "input_ids": np.array([encoding.ids], dtype=np.int64),
    "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
    "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
}
wanted = {one.name for one in session.get_inputs()}
vector = session.run(None, {name: feed for name, feed in feeds.items() if name in wanted})[0]
print(float(np.linalg.norm(vector)))
