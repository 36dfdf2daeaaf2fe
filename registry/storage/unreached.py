"""Addresses of one's own servers at which nobody answered, with when that was found."""

from __future__ import annotations

from rolecall.registry.storage.connection import Database


def read_unreached_since(db: Database, address: str, since: str) -> bool:
    """Tell whether nobody answered at an address at that time or later."""
    rows = db.rows("SELECT 1 FROM unreached WHERE address = ? AND at >= ?", (address, since))
    return bool(rows)


def write_unreached(db: Database, address: str, at: str) -> None:
    """Store that nobody answered at an address, in place of what was stored of it."""
    db.run("INSERT OR REPLACE INTO unreached (address, at) VALUES (?, ?)", (address, at))
