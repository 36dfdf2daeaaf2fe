"""The lengths asked for in Chinese, Japanese and Korean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from rolecall.registry.scorer.asked_spaced import CODE_CUES
from rolecall.registry.scorer.asked_units import DENSE_WORD_TOKENS, MOST, Ask

# Chinese, Japanese and Korean write number and unit as one, so they are found by patterns.
_KOREAN_NUMBERS = (
    *("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두"),
)
_HAN_NUMBERS = "一二三四五六七八九十"
_THOUSANDS = {"千": 1_000, "천": 1_000, "万": 10_000, "만": 10_000, "百": 100, "백": 100}
_NUMBER = (
    r"(\d[\d,]*|十?[一二两三四五六七八九十]|열한|열두|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열)"
    r"\s*([千천万만百백]?)\s*"
)
_UNITS = {
    "word": r"[个個]?(?:词|單詞|单词|単語)|語で|(?:개의 ?)?단어",
    "sentence": r"句|个句子|文(?![字章件化明学])|(?:개의 ?)?문장",
    "paragraph": r"[个個]?段|パラグラフ|つの段落|(?:개의 ?)?(?:단락|문단)",
    "bullet": r"[个個]?(?:要点|要點)|つの(?:箇条書き|ポイント|要点)|点で"
    r"|(?:가지|개의) ?(?:요점|항목)",
    "line": r"行|줄",
    "page": r"[页頁]|ページ|페이지",
    "character": r"[个個]?字(?![段典])|文字|글자|자(?=\s|로|이내|내외|의|$)",
}
_LISTS = (
    r"(?:列出|列举|给出|给我|写出|推荐|举出?|提供|说出)[^\d，。]{0,4}?NUMBER[个個条种項项部本款]",
    r"NUMBER(?:個|つ|件|冊|選|種類?)[^。\n]{0,10}?(?:挙げ|教え|列挙|リスト|提案|書い|紹介|出し)",
    r"NUMBER(?:개|가지|곳|명|권)[^.\n]{0,14}?(?:나열|알려|추천|써|적어|말해|제안|들어)",
)
YES_OR_NO = (
    *("是或否", "是还是否", "はいかいいえ", "はい/いいえ", "「はい」か「いいえ」"),
    *("예 또는 아니", "예/아니"),
)
_AT_MOST = "以内|以內|不超过|不超過|最多|至多|以下|이내|이하|최대|まで"
_AT_LEAST = "至少|以上|最少|不少于|이상|최소|少なくとも"
_EACH = "每|各|それぞれ|각"
# Before a number, these mean the length of a given text, not of the answer.
_BEFORE = "(?:这|這|那|本|该|この|その|이 |그 )[篇个段]?|第|以下の"
# One of a unit is asked for only with one of these around it.
_ONE = "用|以|只|で|话|로|回答|만"


@cache
def _dense_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    units = [(unit, f"{_NUMBER}(?:{names})") for unit, names in _UNITS.items()]
    lists = [("item", one.replace("NUMBER", _NUMBER)) for one in _LISTS]
    return tuple((unit, re.compile(pattern)) for unit, pattern in (*units, *lists))


def dense_asks(own: str) -> Iterator[Ask]:
    """Yield what is asked in Chinese, Japanese and Korean."""
    if not CODE_CUES.isdisjoint(re.findall("[a-z]+", own)):
        return
    for unit, pattern in _dense_patterns():
        for found in pattern.finditer(own):
            before = own[max(found.start() - 4, 0) : found.start()]
            around = before + own[found.end() : found.end() + 5]
            count = _dense_value(*found.groups()[:2])
            if not 1 <= count <= MOST[unit] or re.search(f"(?:{_BEFORE})$", before):
                continue
            if count == 1 and not re.search(_ONE, around):
                continue
            yield Ask(
                unit=unit,
                count=count,
                word_tokens=DENSE_WORD_TOKENS,
                at_least=re.search(_AT_LEAST, around) is not None,
                at_most=re.search(_AT_MOST, around) is not None,
                each=re.search(_EACH, around) is not None,
                is_dense=True,
            )


def _dense_value(number: str, scale: str) -> float:
    value: float
    if number[0].isdecimal():
        value = float(number.replace(",", ""))
    elif number in _KOREAN_NUMBERS:
        value = _KOREAN_NUMBERS.index(number) + 1
    else:
        plain = number.replace("两", "二")
        value = sum(_HAN_NUMBERS.index(digit) + 1 for digit in plain)
    return value * _THOUSANDS.get(scale, 1)
