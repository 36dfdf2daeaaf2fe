"""The ground: frozen records, errors and small pure helpers that every room speaks in."""
