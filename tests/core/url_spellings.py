"""URLs put together from what could make a program take one host for another."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "http://",
                "https://",
                "HTTP://",
                "//",
                ":",
                "/",
                "\\",
                "@",
                "?",
                "#",
                "%",
                ".",
                "..",
            ),
            *("127.0.0.1", "127", "1", "0x7f", "0177", "2130706433", "localhost", "local", "[::1]"),
            *("[", "]", "evil.com", "evil", "8.8.8.8", "10", "::ffff:", "%2e", "%40", "\t", "\n"),
            *(" ", "80", "a", "user:pass@", "。", "１", "İ", "\x00", "\u200b", "-", "_"),
        ]
    ),
    max_size=9,
).map("".join)
SPELLINGS = _PIECES | _PIECES.map("http://".__add__) | st.text(max_size=30).map("http://".__add__)
