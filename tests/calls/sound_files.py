"""Small files of many kinds as they should be, for tests that spoil them."""

from __future__ import annotations

from typing import Any

ATTACHED = {
    "a.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\3\0\x08\2\0\0\0" + b"\0" * 40,
    "a.gif": b"GIF89a\x10\0\x10\0\x80\0\0" + b"\0" * 30 + b";",
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xc0\0\x0b\x08\1\0\1\0\1\1"
    b"\x11\0\xff\xd9",
    "a.webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\0\0\xff\0\0",
    "a.wav": b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\x08\0\0\0"
    + b"\0" * 8,
    "a.mp3": b"ID3\4\0\0\0\0\0\0\xff\xfb\x90d" + b"\0" * 413,
    "a.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08moov",
    "a.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids"
    b"[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    b"xref\n0 4\n"
    b"0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \n"
    b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n162\n%%EOF\n",
    "a.txt": "naïve 字 text".encode(),
}
SPOOLED: dict[str, Any] = {
    "id": "line1",
    "decision": None,
    "calls": [
        {
            "id": "c1",
            "created_at": "2026-11-22T09:00:00.000000+00:00",
            "endpoint": "openai/m",
            "finish_reasons": ["stop"],
            "input_tokens": 9,
            "output_tokens": 3,
            "cost_usd": 0.25,
            "finished_at": "2026-11-22T09:00:02.000000+00:00",
            "time_to_first_chunk_s": 0.5,
            "duration_s": 2.0,
        }
    ],
    "said": {
        "conversation_id": "talk",
        "created_at": "2026-11-22T09:00:02.000000+00:00",
        "turns": ['{"role":"user","parts":[{"type":"text","text":"hi"}]}'],
    },
    "outcomes": [
        {
            "created_at": "2026-11-22T09:00:03.000000+00:00",
            "endpoint": "openai/m",
            "score": 1.0,
            "source": "check",
            "task": "code",
        }
    ],
}
