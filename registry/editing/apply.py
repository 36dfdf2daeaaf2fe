"""Apply a registry document as a command does: to a registry that may not exist yet."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.core.entities import Registry
from rolecall.registry.documents.document import Document, parse_document
from rolecall.registry.editing.diff import Changes, with_records
from rolecall.registry.editing.edit import apply_parsed, planned, write_changes
from rolecall.registry.editing.open import has_registry, open_registry, registry_path
from rolecall.registry.editing.references import dangling
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.storage.connection import Database
from rolecall.registry.storage.open import open_database


def apply_text(
    given: Path | None, text: str, filename: str, *, dry_run: bool = False, prune: bool = False
) -> Changes:
    """Apply a YAML text to the registry at `given`; return what that changes.

    Where there is no registry yet, a document that names every section and every record it
    refers to (as an export does) is the whole registry: the starter pool is not added to it. A
    part is applied to the starter pool. With `dry_run` no registry is created. Raises as
    `apply_document` does.
    """
    path = registry_path(given)
    document = parse_document(text, filename)
    if has_registry(given):
        with open_registry(given) as db:
            return apply_parsed(db, document, dry_run=dry_run, prune=prune)
    if dry_run:
        start = Registry(0) if _stands_alone(document) else seed_registry()
        return planned(start, document, prune=prune)[1]
    if not _stands_alone(document):
        planned(seed_registry(), document, prune=prune)  # a mistake creates no registry
        with open_registry(given) as db:
            return apply_parsed(db, document, prune=prune)
    return _begin_with(path, document, prune=prune)


def _stands_alone(document: Document) -> bool:
    """Whether the document is a whole registry: all sections, and nothing in them dangles."""
    if not document.is_whole:
        return False
    return not dangling(with_records(Registry(0), (entry.record for entry in document.entries)))


def _begin_with(path: Path, document: Document, *, prune: bool) -> Changes:
    """Create the registry with the document as its first content."""
    after, changes = planned(Registry(0), document, prune=prune)
    written: list[Changes] = []

    def fill(db: Database) -> None:
        write_changes(db, after, changes)
        written.append(changes)

    with open_database(path, fill=fill) as db:
        # Another process may have created the registry first; then this is one change to it.
        return written[0] if written else apply_parsed(db, document, prune=prune)
