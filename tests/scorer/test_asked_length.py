"""The lengths that prompts ask for, by language, and what is no request."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.registry.scorer.asked_length import asked_tokens

ASKED = [
    ("Write a 5,000 word story about a lighthouse.", 6000, 7500),
    ("Write a one-sentence story.", 15, 35),
    ("Explain gravity in a sentence.", 15, 35),
    ("List 50 birds of Europe.", 400, 900),
    ("Describe Rome in two paragraphs.", 150, 260),
    ("Is water wet? Answer yes or no.", 1, 4),
    ("```\nwrite 5000 words\n```\nExplain this code in two sentences.", 15, 60),
    ("Summarise the 5,000 word story below in two sentences.", 35, 60),
    ("Write 400-500 words on bees.", 500, 700),
    ("Describe a cat in no more than 80 words.", 40, 80),
    ("At least 100 words, please: what is love?", 110, 200),
    ("Name 10 capitals with one sentence each.", 130, 260),
    ("Schreibe eine Geschichte mit 5.000 Wörtern.", 8000, 10000),
    ("Nenne mir zehn Gründe für Sport.", 150, 400),
    ("Décris Paris en deux phrases.", 40, 70),
    ("Écris une histoire de 5 000 mots.", 7000, 9500),
    ("Escribe un ensayo de mil palabras.", 800, 1700),
    ("Liste 30 cidades do Brasil.", 300, 700),
    ("Scrivi una storia di 5000 parole.", 7000, 9000),
    ("Schrijf een verhaal van honderd woorden.", 150, 250),
    ("Napisz opowiadanie na 5 000 słów.", 10000, 12000),
    ("Напиши рассказ на 5000 слов.", 11000, 12000),
    ("Назви десять річок України.", 150, 300),
    ("5.000 kelimelik bir hikâye yaz.", 10000, 12000),
    ("Türkiye'den 10 şehir say.", 150, 300),
    ("写一篇五千字的故事。", 3500, 5000),
    ("列出十个欧洲国家。", 100, 250),
    ("5000文字の物語を書いてください。", 3500, 5000),
    ("5,000자 분량의 이야기를 써 줘.", 3500, 5000),
    ("اشرح الجاذبية في جملة واحدة.", 30, 50),
    ("اكتب قصة من ٥٠٠ كلمة.", 1000, 1300),
    ("500 शब्दों में एक कहानी लिखिए।", 1000, 1400),
    ("Viết một câu chuyện dài 5.000 từ.", 6500, 7500),
    ("Ist Wasser nass? Antworte mit ja oder nein.", 1, 4),
    ("Write a story.\n\nOnce there were 20 people.\n\nMake it 300 words.", 300, 700),
    ("Write an 8-line poem in the style of a letter of 100 words or less", 80, 120),
    ("यूरोप के 10 देशों के नाम बताओ", 100, 300),
    ("写一部30万字的小说", 30_000, 32_000),
    ("Max. 40 Wörter: was ist Liebe?", 40, 60),
]
NOT_ASKED = [
    "Is water wet? Answer yes or no and explain why.",
    "Summarise: the 5,000 word story of a man who lived by the sea and wrote 300 words a day.",
    "There were 50 people in the room and 3 sentences on the wall. What happened?",
    "Translate into German: Write a 5,000 word story.",
    "My essay has 500 words. Is it good?",
    "Write a python function which returns the first 10 characters of a string.",
    "这篇5000字的文章讲了什么?",
    "Diese 5.000 Wörter lange Geschichte gefällt mir. Wer ist der Held?",
    "Proofread the text below.\n\nThe 10 sentences were written by 50 men in 3 paragraphs. "
    "I list 4 men in the next chapter and they are good, he said, and so it went on for a long "
    "time until the end of the book came near and nobody could say what it was about any more, "
    "nor why it had been written, and they closed it.",
    "Fix the grammar in this sentence: he go to school.",
    "List all countries in the EU.",
    "A man has 3 apples and 5 pears. How many does he have?",
    "Write ፩፪ words.",
    "写0字",
    "写" + "9" * 400 + "字",
]


@pytest.mark.parametrize(("prompt", "least", "most"), ASKED)
def test_the_length_asked_for_is_found_in_every_language(
    prompt: str, least: int, most: int
) -> None:
    asked = asked_tokens(prompt)
    assert asked is not None
    assert least <= asked.tokens <= most
    assert asked.lower <= asked.tokens <= asked.upper
    assert 0 < asked.share <= 1


@pytest.mark.parametrize("prompt", NOT_ASKED)
def test_numbers_of_a_paste_a_tale_or_a_sum_ask_for_nothing(prompt: str) -> None:
    assert asked_tokens(prompt) is None


@given(st.integers(20, 20_000), st.integers(2, 20))
def test_more_words_are_more_tokens(words: int, times: int) -> None:
    fewer = asked_tokens(f"Write a story of {words} words.")
    more = asked_tokens(f"Write a story of {words * times:,} words.")
    assert fewer is not None
    assert more is not None
    assert more.tokens >= fewer.tokens


def test_at_most_and_at_least_bound_the_answer_on_one_side() -> None:
    usual = 6.0  # e^6 is 403 tokens
    at_most = asked_tokens("Describe a cat in no more than 80 words.")
    at_least = asked_tokens("Describe a cat in at least 900 words.")
    assert at_most is not None
    assert at_least is not None
    assert at_most.blend(usual) < usual < at_least.blend(usual)
    assert at_most.blend(1.0) < at_most.blend(usual)  # a short answer stays short


def test_a_long_paste_between_does_not_hide_the_request_at_the_end() -> None:
    paste = "The 10 sentences were written by 50 men, 3 pages a day. " * 40
    asked = asked_tokens(f"Read this.\n\n{paste}\n\nNow sum it up in two sentences.")
    assert asked is not None
    assert 30 < asked.tokens < 70
    assert asked_tokens(f"Read this.\n\n{paste}") is None


@pytest.mark.parametrize("piece", ["<br> some words\n", "<li>a\n", "“ab", "```x\n", "<w"])
def test_a_long_paste_of_marks_that_nothing_closes_is_read_at_once(piece: str) -> None:
    paste = piece * (150_000 // len(piece))
    started = perf_counter()
    asked_tokens(f"Explain this in two sentences.\n\n{paste}")
    assert perf_counter() - started < 3  # 14 s where every opening mark is looked for to the end


def test_what_stands_in_an_element_asks_for_nothing() -> None:
    page = "<ul><li>Write 5,000 words.<li>Write 300 words.</ul>\n\nSum it up in two sentences."
    asked = asked_tokens(page)
    assert asked is not None
    assert 30 < asked.tokens < 70


@settings(max_examples=25)
@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    asked = asked_tokens(text)
    assert asked is None or 0 < asked.tokens <= 40_000
