"""Give back to the disk what deleted rows took."""

from __future__ import annotations

import contextlib

from rolecall.registry.core.errors import RegistryUnusable
from rolecall.registry.storage.connection import Database, translating

_INCREMENTAL = 2


def free_disk(db: Database) -> None:
    """Make the file as small as its rows; where others keep it from that, the next time does.

    Not inside a transaction. The first time the whole file is written anew, from then on only
    the pages that are free are cut off.
    """
    with contextlib.suppress(RegistryUnusable):
        if db.rows("PRAGMA auto_vacuum") == [(_INCREMENTAL,)]:
            with translating(db.path):
                # Not `execute`, which stops after the first page.
                db.connection.executescript("PRAGMA incremental_vacuum")
        else:
            db.run("PRAGMA auto_vacuum = INCREMENTAL")
            db.run("VACUUM")
        db.rows("PRAGMA wal_checkpoint(TRUNCATE)")
