"""A chat request in JSON, read into one form."""
