"""Facts of models from outside."""
