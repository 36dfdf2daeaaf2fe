"""Texts of many kinds, each a few thousand characters long, made here and always the same."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from functools import cache

ENGLISH = (
    "It was late when the ferry reached the harbour, and nobody had come down to meet us. We"
    " carried our bags along the quay, past the shuttered offices and the nets hung out to dry,"
    " until we found a small hotel whose owner was still awake. She gave us soup and bread, asked"
    " no questions about our journey, and showed us to a room that looked out over the water. In"
    " the morning the fog had gone. Children were running between the boats, and an old man who"
    " repaired engines told us that the road to the north would stay closed until spring."
)
SENTENCES = {
    "German": (
        "Gestern sind wir mit Freunden ins Kino gegangen, und der Film war außerordentlich"
        " unterhaltsam; danach aßen wir in einem nahegelegenen Gasthaus zu Abend. Die Behörde"
        " veröffentlichte eine Verwaltungsvorschrift zur Grundstücksverkehrsgenehmigung."
    ),
    "French": (
        "Hier, nous sommes allés au cinéma avec des amis et le film était vraiment amusant ;"
        " ensuite nous avons dîné dans un restaurant tout près d'ici."
    ),
    "Vietnamese": "Hôm qua chúng tôi đi xem phim với bạn bè, sau đó chúng tôi ăn tối gần đó.",
    "Greek": "Χθες πήγαμε στον κινηματογράφο με φίλους και περάσαμε πολύ καλά όλοι μαζί.",
    "Russian": "Вчера мы с друзьями ходили в кино, а потом поужинали в ресторане неподалёку.",
    "Arabic": "ذهبنا بالأمس مع الأصدقاء إلى السينما وكان الفيلم ممتعا للغاية، ثم تناولنا العشاء.",
    "Hebrew": "אתמול הלכנו עם חברים לקולנוע והסרט היה מהנה מאוד, ואחר כך אכלנו ארוחת ערב.",
    "Hindi": "कल हम दोस्तों के साथ फिल्म देखने गए और बहुत मज़ा आया, फिर हमने खाना खाया।",
    "Thai": "เมื่อวานนี้เราไปดูหนังกับเพื่อนและสนุกมาก หลังจากนั้นเราไปกินข้าวเย็นใกล้บ้าน",
    "Chinese": "昨天我们和朋友一起去看电影，电影非常有趣，然后我们在附近的餐馆吃了晚饭。",
    "Japanese": "昨日、友達と一緒に映画を見に行きましたが、とても面白かったです。夕食も。",
    "Korean": "어제 친구와 함께 영화를 보러 갔는데 정말 재미있었고, 근처에서 저녁을 먹었습니다.",
}
PYTHON = '''def shortest(paths: dict[str, list[int]], start: str) -> str | None:
    """Return the name of the shortest path."""
    found = [(sum(lengths), name) for name, lengths in paths.items() if name != start]
    for total, name in sorted(found):
        if total >= 0 and not name.startswith("_"):
            return name
    return None


'''
RUST = """impl<T: Clone + Send> Queue<T> {
    pub fn push(&mut self, item: T) -> Result<usize, QueueError> {
        if self.items.len() >= self.capacity { return Err(QueueError::Full { max: 0x7f }); }
        self.items.push_back(item.clone()); Ok(self.items.len())
    }
}
"""
MINIFIED = (
    '!function(e,t){"object"==typeof exports&&"undefined"!=typeof module?t(exports):(e=e||self,'
    't(e.lib={}))}(this,function(e){"use strict";function r(e,t){for(var o=0;o<t.length;o++)'
    "e[t[o]]=o>>>1^0x1f;return e.map(function(a){return a*2+1})}e.run=r});"
)


@cache
def sample_texts() -> dict[str, str]:
    """Return the texts by kind."""
    chance = random.Random(7)
    return {
        "English prose": ENGLISH * 6,
        **{language: text * 20 for language, text in SENTENCES.items()},
        "Python": PYTHON * 8,
        "Rust": RUST * 8,
        "minified JavaScript": MINIFIED * 12,
        **_identifiers(chance),
        **_tables(chance),
        **_letters(chance),
        **_runs(),
    }


def _identifiers(chance: random.Random) -> dict[str, str]:
    ids = (str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(120))
    return {
        "UUIDs": "\n".join(ids),
        "hex": chance.randbytes(2_000).hex(),
        "upper-case hex": chance.randbytes(2_000).hex().upper(),
        "base64": base64.b64encode(chance.randbytes(3_000)).decode(),
        "base64 in lines": base64.encodebytes(chance.randbytes(3_000)).decode(),
    }


def _tables(chance: random.Random) -> dict[str, str]:
    columns = [chance.choices(string.digits, k=12) for _ in range(40)]
    floats = ([f"{chance.uniform(-1_000, 1_000):.3f}" for _ in range(8)] for _ in range(80))
    counts = ([str(chance.randrange(10**7)) for _ in range(8)] for _ in range(80))
    return {
        "CSV of decimals": "\n".join(map(",".join, floats)),
        "CSV of integers": "\n".join(map(",".join, counts)),
        "JSON logs": "\n".join(json.dumps(_log_line(chance)) for _ in range(40)),
        "indented JSON": json.dumps([_log_line(chance) for _ in range(20)], indent=4),
        "digits": "".join(chance.choices(string.digits, k=3_000)),
        "digits in columns": "\n".join("  ".join(row) for row in columns),
        "digits between tabs": "\n".join("\t\t".join(row) for row in columns),
    }


def _log_line(chance: random.Random) -> dict[str, object]:
    return {
        "ts": f"2026-11-{chance.randrange(1, 30):02}T{chance.randrange(24):02}:14:07.312Z",
        "level": chance.choice(["INFO", "WARN", "ERROR"]),
        "request_id": str(uuid.UUID(int=chance.getrandbits(128))),
        "path": f"/api/v1/users/{chance.randrange(10**6)}/orders",
        "duration_ms": chance.random() * 100,
        "ok": True,
    }


def _letters(chance: random.Random) -> dict[str, str]:
    def drawn(alphabet: str) -> str:
        return "".join(chance.choices(alphabet, k=2_000))

    return {
        "random letters": drawn(string.ascii_lowercase),
        "random capitals": drawn(string.ascii_uppercase),
        "random letters and digits": drawn(string.ascii_letters + string.digits),
        "random ASCII": drawn(string.printable),
        "random whitespace": drawn(" \t\n\r"),
        "random bytes as Latin-1": chance.randbytes(2_000).decode("latin-1"),
        "random ideographs": "".join(chr(chance.randrange(0x4E00, 0xA000)) for _ in range(800)),
        "random characters": "".join(chr(chance.randrange(0xE000, 0x10FFFF)) for _ in range(600)),
        "emoji": "".join(chr(chance.randrange(0x1F300, 0x1F650)) for _ in range(600)),
    }


def _runs() -> dict[str, str]:
    return {
        "one letter": "q" * 2_000,
        "spaces": " " * 2_000,
        "newlines": "\n" * 2_000,
        "capitals": ENGLISH.upper() * 3,
        "joined emoji": "👨‍👩‍👧‍👦🏳️‍🌈👩🏽‍💻" * 60,
        "mixed": " ".join((ENGLISH, *SENTENCES.values(), PYTHON, MINIFIED)),
    }
