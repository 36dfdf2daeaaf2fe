"""Evaluation: how good predictions are, and what routing by them is worth."""
