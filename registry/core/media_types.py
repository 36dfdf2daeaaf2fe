"""What an attachment is, told from its first bytes, its name or its media type."""

from __future__ import annotations

START_BYTES = 16
# What an attachment is taken for that does not say what it is.
USUAL_TYPES = {
    "image": "image/png",
    "pdf": "application/pdf",
    "audio": "audio/wav",
    "video": "video/mp4",
}
# Python's mimetypes is not used: without the system's lists it lacks a quarter of these, with them
# it differs between machines, and it takes text such as .svg for an image.
_BY_SUFFIX = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".heic": "image/heic",
    ".tiff": "image/tiff",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".aac": "audio/aac",
    ".opus": "audio/opus",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".pdf": "application/pdf",
}
_BY_START = {
    b"\x89PNG\r\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"OggS": "audio/ogg",
    b"fLaC": "audio/flac",
    b"\xff\xfb": "audio/mpeg",
    b"\xff\xf3": "audio/mpeg",
    b"\xff\xf2": "audio/mpeg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_BY_BRAND = {
    **dict.fromkeys((b"heic", b"heix", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_OTHER_NAMES = {
    **dict.fromkeys(("image/jpg", "image/pjpeg"), "image/jpeg"),
    **dict.fromkeys(("audio/mp3", "audio/x-mp3"), "audio/mpeg"),
    **dict.fromkeys(("audio/x-wav", "audio/wave", "audio/vnd.wave"), "audio/wav"),
    **dict.fromkeys(("audio/m4a", "audio/x-m4a"), "audio/mp4"),
    **dict.fromkeys(("audio/x-flac",), "audio/flac"),
    "application/x-pdf": "application/pdf",
    # Said of anything, it says nothing.
    "application/octet-stream": "",
    "image": "",
    "image/*": "",
}
_OPUS_IN_OGG = ("audio/ogg", "audio/opus")
# A RIFF file says only at byte 8 what is in it.
_BY_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}


def media_type_of(start: bytes, name: str | None = None, said: str | None = None) -> str | None:
    """Return the media type told by a file's first bytes, else as said, else by its name's suffix.

    What is said is often wrong, and a server refuses what the bytes do not bear out.
    """
    found, plain = _by_bytes(start), (said or "").partition(";")[0].strip().lower()
    plain = _OTHER_NAMES.get(plain, plain)
    # A text may begin with the letters that a picture does, and Ogg holds several formats.
    is_plain_text = is_text(plain) and start.isascii() and b"\0" not in start
    if plain and (found is None or is_plain_text or (found, plain) == _OPUS_IN_OGG):
        found = plain
    if found is None and name is not None and "." in name:
        found = _BY_SUFFIX.get("." + name.rpartition(".")[2].lower())
    if found is None and start[4:8] == b"ftyp":
        found = "video/mp4"
    return found


def _by_bytes(start: bytes) -> str | None:
    if start.startswith(b"RIFF") and start[8:12] in _BY_RIFF:
        return _BY_RIFF[start[8:12]]
    if start[4:8] == b"ftyp":  # a container: its brand may leave open what is in it
        return _BY_BRAND.get(start[8:12])
    if start.startswith(b"BM") and start[6:10] == bytes(4):
        return "image/bmp"
    return next((kind for sign, kind in _BY_START.items() if start.startswith(sign)), None)


def modality_of(media_type: str | None) -> str | None:
    """Return `image`, `audio`, `video` or `pdf`; None for any other media type."""
    if media_type == "application/pdf":
        return "pdf"
    family = (media_type or "").partition("/")[0]
    return family if family in {"image", "audio", "video"} else None


def is_text(media_type: str | None) -> bool:
    """Tell whether content of that type is read as text."""
    return media_type is not None and (
        media_type.startswith("text/") or media_type in {"application/json", "application/xml"}
    )
