"""Fits to the user's judged rows, and which scorer is in use."""
