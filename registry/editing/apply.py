"""Apply a registry document as a command does: to a registry that may not exist yet."""

from __future__ import annotations

from pathlib import Path

from rolecall.registry.core.entities import Registry
from rolecall.registry.documents.document import Document, parse_document
from rolecall.registry.editing.diff import Change, merged
from rolecall.registry.editing.edit import apply_document, planned, write_registry
from rolecall.registry.editing.open import has_registry, open_registry, registry_path
from rolecall.registry.editing.references import dangling
from rolecall.registry.editing.seed import seed_registry
from rolecall.registry.storage.open import open_database


def apply_text(
    given: Path | None, text: str, filename: str, *, dry_run: bool = False, prune: bool = False
) -> tuple[Change, ...]:
    """Apply a YAML text to the registry at `given`; return what that changes.

    It takes a path, no open registry: a dry run and a mistake create none. Where there is none
    yet, a document that names every section and every record it refers to (as an export does)
    is the whole registry; a part is applied to the starter content. Raises as `apply_document`
    does.
    """
    if has_registry(given):
        with open_registry(given) as db:
            return apply_document(db, text, filename, dry_run=dry_run, prune=prune)
    document = parse_document(text, filename)
    start = Registry(0) if _stands_alone(document) else seed_registry()
    after, changes = planned(start, document, prune=prune)
    if dry_run:
        return changes
    with open_database(registry_path(given), fill=lambda db: write_registry(db, after)) as db:
        # Another process may have created the registry first; then this is one change to it.
        return apply_document(db, text, filename, prune=prune) or changes


def _stands_alone(document: Document) -> bool:
    """Whether the document is a whole registry: all sections, and nothing in them dangles."""
    return document.is_whole and not dangling(merged(Registry(0), document, prune=False))
