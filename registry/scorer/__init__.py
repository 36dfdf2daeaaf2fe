"""The only room with numpy, onnxruntime and tokenizers."""

import os

# onnxruntime would give the machine an id, note each use in the home folder and report it to its
# maker. It reads this when it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Matrices here are small: threads would spend their time waiting for each other. numpy reads it
# when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
