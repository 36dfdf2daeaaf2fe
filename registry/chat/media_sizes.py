"""How large an attachment is, in what providers bill: pixels, pages and their text, seconds."""

from __future__ import annotations

import binascii
from functools import lru_cache
from io import BytesIO

from rolecall.registry.chat.image_sizes import image_size
from rolecall.registry.core.chat import Media
from rolecall.registry.core.requests import MediaSize

# For as long the bytes of a picture in a sound file would last at most.
_PICTURE_S = 60.0


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
        return MediaSize(modality, size, seconds=_seconds(data, modality))
    return MediaSize(modality, size)


def _seconds(data: bytes, modality: str) -> float | None:
    """Return how long sound or video lasts; null where the format or the file says nothing.

    What a head says of sound is not believed where the bytes would last much longer (several files
    in one, a head that was not finished), or hardly at all (sound that was streamed into the file).
    """
    # Imported here: 15 ms, which a request without sound does not pay.
    from tinytag import TinyTag, TinyTagException

    try:
        found = TinyTag.get(file_obj=BytesIO(data), tags=False)
    except (TinyTagException, ArithmeticError, LookupError, TypeError, ValueError, OSError):
        return None
    seconds = found.duration or 0.0
    if modality == "audio" and found.bitrate:
        by_size = len(data) * 8 / (found.bitrate * 1_000)
        is_short = by_size > 1.2 * seconds + _PICTURE_S
        seconds = by_size if is_short or seconds > 10 * by_size else seconds
    return seconds if seconds > 0 else None
