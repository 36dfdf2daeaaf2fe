"""How large an attachment is, in what providers bill: pixels, pages and their text, seconds."""

from __future__ import annotations

import binascii
from functools import lru_cache
from io import BytesIO

from rolecall.registry.chat.image_sizes import image_size
from rolecall.registry.core.chat import Media
from rolecall.registry.core.requests import MediaSize


def media_size(media: Media) -> MediaSize:
    """Return the size of an attachment, as far as it can be known without fetching anything."""
    return MediaSize(media.modality) if media.data is None else _size(media.modality, media.data)


@lru_cache(maxsize=32)
def _size(modality: str, encoded: str) -> MediaSize:
    data = binascii.a2b_base64(encoded)
    size = len(data)
    if modality == "image":
        width, height = image_size(data) or (None, None)
        return MediaSize(modality, size, width=width, height=height)
    if modality == "pdf" and data.lstrip().startswith(b"%PDF-"):
        from rolecall.registry.chat.pdf_sizes import pdf_size

        found = pdf_size(data)
        pages, text = (None, None) if found is None else found
        return MediaSize(modality, size, pages=pages, text=text)
    if modality in ("audio", "video"):
        return MediaSize(modality, size, seconds=_seconds(data))
    return MediaSize(modality, size)


def _seconds(data: bytes) -> float | None:
    """Return how long sound or video lasts; null where the format or the file says nothing."""
    # Imported here: 15 ms, which a request without sound does not pay.
    from tinytag import TinyTag, TinyTagException

    try:
        seconds = TinyTag.get(file_obj=BytesIO(data), tags=False).duration
    except (TinyTagException, ArithmeticError, LookupError, TypeError, ValueError, OSError):
        return None
    return seconds if seconds is not None and seconds > 0 else None
