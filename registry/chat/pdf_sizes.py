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

# Text is read of so many bytes of content, some 200 pages: that takes a second.
_BYTES_READ = 1_000_000
# More than that is no document that anyone sends; unpacking it would take long.
_MOST_BYTES = 100_000_000


class PdfSize(NamedTuple):
    """A document's pages, and the tokens of all their text."""

    pages: int
    text: TextTokens


def pdf_size(data: bytes) -> PdfSize | None:
    """Return a PDF's size; null where it is encrypted or cannot be read.

    The pages beyond the first 1 MB of content are expected to have a token for eight bytes, and at
    most one for each: no character takes less.
    """
    # Imported here: 0.2 s, which a request without a PDF does not pay.
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(data))
        return _size(list(reader.pages))
    except (PyPdfError, DependencyError, zlib.error, struct.error, OSError, MemoryError):
        return None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError):
        return None  # what a broken file leads pypdf into
    except (TypeError, ValueError):
        return None


def _size(pages: list[PageObject]) -> PdfSize | None:
    expected = most = claude = 0.0
    total = 0
    for page in pages:
        noted = _noted(page)
        size = _content_bytes(page) + len(noted.encode(errors="surrogatepass"))
        total += size
        if total > _MOST_BYTES:
            return None
        text = TextTokens(size / 8, size, size)
        if total <= _BYTES_READ:
            text = text_tokens(f"{page.extract_text()}\n{noted}")
        expected, most = expected + text.expected, most + text.most
        claude += text.most_of_claude
    return PdfSize(len(pages), TextTokens(expected, most, claude)) if pages else None


def _noted(page: PageObject) -> str:
    """Return the text of a page's annotations: its comments, and what its forms are filled with."""
    from pypdf.generic import DictionaryObject

    held = [one.get_object() for one in page.annotations or ()]
    fields = [one for one in held if isinstance(one, DictionaryObject)]
    return "\n".join(str(one[key]) for one in fields for key in ("/Contents", "/V") if key in one)


def _content_bytes(page: PageObject) -> int:
    """Return the size of what draws a page, with the forms that it may draw."""
    contents = page.get_contents()
    forms: dict[int, int] = {}
    _add_forms(page.get("/Resources"), forms)
    return (0 if contents is None else len(contents.get_data())) + sum(forms.values())


def _add_forms(resources: object, forms: dict[int, int]) -> None:
    """Add the size of each form in resources, and of those inside it, once."""
    from pypdf.generic import DictionaryObject, StreamObject

    held = resources.get_object() if hasattr(resources, "get_object") else None
    objects = held.get("/XObject") if isinstance(held, DictionaryObject) else None
    for one in objects.get_object().values() if objects is not None else ():
        form = one.get_object()
        is_form = isinstance(form, StreamObject) and form.get("/Subtype") == "/Form"
        if is_form and id(form) not in forms:
            forms[id(form)] = len(form.get_data())
            _add_forms(form.get("/Resources"), forms)
