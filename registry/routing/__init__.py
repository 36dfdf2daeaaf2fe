"""Decide which endpoint should answer a request: what task it is, what the rules say of it."""
