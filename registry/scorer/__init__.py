"""The only room with numpy, onnxruntime and tokenizers."""
