"""How many pages a PDF has, and how many tokens their text is."""

from __future__ import annotations

import logging
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from rolecall.registry.core.text_tokens import TextTokens, text_tokens

if TYPE_CHECKING:
    from pypdf import PageObject

# Reading the text of a page takes 3 ms; of a longer document only so many pages are read.
_PAGES_READ = 100
_LONGEST_CONTENT = 300_000  # bytes of a page's content, beyond which it is not read as text


class PdfSize(NamedTuple):
    """A document's pages, and the tokens of all their text."""

    pages: int
    text: TextTokens


def pdf_size(data: bytes) -> PdfSize | None:
    """Return a PDF's size; null where it is encrypted or cannot be read.

    The pages beyond the first hundred are expected to have as much text as those, and at most a
    token for each byte of their content: no character takes less.
    """
    # Imported here: 0.2 s, which a request without a PDF does not pay.
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(data))
        pages = list(reader.pages)
        if not pages:
            return None
        read = [_text_of(page) for page in pages[:_PAGES_READ]]
        more = sum(_content_bytes(page) for page in pages[_PAGES_READ:])
    except (PyPdfError, DependencyError, zlib.error, struct.error, OSError, MemoryError):
        return None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError):
        return None  # what a broken file leads pypdf into
    except (TypeError, ValueError):
        return None
    expected, most, claude = (sum(column) for column in zip(*read, strict=True))
    expected *= len(pages) / len(read)
    return PdfSize(len(pages), TextTokens(expected, most + more, claude + more))


def _text_of(page: PageObject) -> TextTokens:
    size = _content_bytes(page)
    if size > _LONGEST_CONTENT:
        return TextTokens(size / 8, size, size)
    return text_tokens(page.extract_text())


def _content_bytes(page: PageObject) -> int:
    """Return the size of what draws a page, with the forms that it draws."""
    contents = page.get_contents()
    size = 0 if contents is None else len(contents.get_data())
    resources = page.get("/Resources")
    return size if resources is None else size + _form_bytes(resources.get_object(), 0)


def _form_bytes(resources: object, depth: int) -> int:
    """Return the size of all forms in resources, those inside forms included."""
    from pypdf.generic import DictionaryObject, StreamObject

    if depth > 8 or not isinstance(resources, DictionaryObject):
        return 0
    objects = resources.get("/XObject")
    size = 0
    for one in objects.get_object().values() if objects is not None else ():
        form = one.get_object()
        if isinstance(form, StreamObject) and form.get("/Subtype") == "/Form":
            size += len(form.get_data())
            inner = form.get("/Resources")
            size += _form_bytes(inner.get_object(), depth + 1) if inner is not None else 0
    return size
