"""Change the registry: open, seed, add, edit, apply, check."""
