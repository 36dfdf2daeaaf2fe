from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.registry.evaluation.perturbations.perturb import KINDS, RESTATEMENTS, perturb
from rolecall.registry.evaluation.perturbations.synonyms import PARTS, rules

FENCE = "```python\nlargest = max(numbers)  # do not change 2 things\nprint('Please help.')\n```"
FORMULA = "$x^2 + largest \\cdot 3$"
QUOTED = '"the biggest dog in the street"'
CALL = "`compute_largest(items)`"
OPTIONS = "A. the largest one\nB. 2 apples, approximately\nC. it is not easy"
SENTENCES = (
    "Please compute the largest value of 3 numbers.",
    "Could you explain why the colour of the sky does not change?",
    "Apples cost two dollars.",
    "Write a short story about a lighthouse keeper who is not afraid.",
    "I don't know what is wrong with this engine, it's making a noise.",
    "Summarize the article in order to help a beginner.",
    "hello there, what are the main benefits of exercise?",
    "Thanks in advance!",
)
PASTED = "What does this do?\n\ndef f(x):\n    return x\n\nprint(f(3))"
CHOICE = "Which planet is the largest?\nA. Mars\nB. Jupiter"
LONG = "Apples cost two dollars. Tom walks to school. How many pears are there?"

kinds = st.sampled_from(KINDS)
seeds = st.integers(0, 10_000)
prose = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4).map(" ".join)
any_text = st.one_of(st.text(max_size=80), prose)


@given(any_text, kinds, seeds)
def test_a_result_is_the_same_each_time_another_text_and_never_blank(
    text: str, kind: str, seed: int
) -> None:
    changed = perturb(text, kind, seed)
    assert perturb(text, kind, seed) == changed
    assert changed is None or (changed != text and changed.strip())


@pytest.mark.parametrize("kept", [FENCE, FORMULA, QUOTED, CALL, OPTIONS])
@given(prose, prose, kinds.filter(lambda kind: kind != "option labels"), seeds)
def test_code_formulas_quotations_and_options_stay(
    kept: str, before: str, after: str, kind: str, seed: int
) -> None:
    changed = perturb(f"{before}\n\n{kept}\n\n{after}", kind, seed)
    if changed is not None:
        plain = changed.replace("“", '"').replace("”", '"') if kept == QUOTED else changed
        # Spaces at the end of an option's line change nothing in it.
        assert kept in re.sub(r" +$", "", plain, flags=re.MULTILINE)


@given(prose, kinds, seeds)
def test_whatever_is_changed_most_words_remain(text: str, kind: str, seed: int) -> None:
    changed = perturb(text, kind, seed)
    if changed is not None and len(text.split()) > 8:
        before, after = (Counter(re.findall(r"\w+", one.lower())) for one in (text, changed))
        assert sum((before & after).values()) >= 0.4 * sum(before.values())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_finds_something_to_change(kind: str) -> None:
    texts = [*SENTENCES, LONG, "Why is the sky blue\nand the sea green at night?", PASTED, CHOICE]
    assert any(perturb(text, kind, 1) is not None for text in texts)


@given(prose, seeds)
def test_quotation_marks_made_curly_are_made_straight_again(text: str, seed: int) -> None:
    quoted = f'{text} She said "yes".'
    curly = perturb(quoted, "quotes", seed)
    assert curly is not None
    assert '"' not in curly
    assert perturb(curly, "quotes", seed) == quoted


@pytest.mark.parametrize(
    "text",
    ["I do not know what is here.", "It is late and you are not there yet.", "We cannot go."],
)
def test_contractions_written_out_give_the_text_again(text: str) -> None:
    short = perturb(text, "contractions", 1)
    assert short is not None
    assert len(short) < len(text)
    assert perturb(short, "contractions", 1) == text


@given(prose, seeds)
def test_a_dropped_letter_and_a_doubled_letter_change_the_length_by_one(
    text: str, seed: int
) -> None:
    dropped, doubled = (perturb(text, kind, seed) for kind in ("dropped letter", "doubled letter"))
    if dropped is not None and doubled is not None:
        assert len(dropped) == len(text) - 1
        assert len(doubled) == len(text) + 1


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("lower first", "Why is it so?", "why is it so?"),
        ("lower case", "Does NATO have I or B? Ask Tom.", "does NATO have i or B? ask tom."),
        ("joined lines", "What is this?\nAnswer in one word.", "What is this? Answer in one word."),
        ("end mark", "Why is it so?", "Why is it so"),
        ("end mark", "name it", "name it."),
        ("end mark", "See here:\n  name it", "See here:\n  name it."),
        ("please", "Write a poem about rain.", "Please write a poem about rain."),
        ("please", "Please write a poem about rain.", None),
        ("blunt", "Hello, could you please write a poem? Thanks!", "Write a poem?"),
        ("blunt", "Thanks!", None),
        ("spelling", "What colour is the centre?", "What color is the center?"),
        ("number words", "Name 3 reasons and 12 risks.", "Name three reasons and twelve risks."),
        ("number words", "Is it type 2 diabetes?", None),
        ("contractions", "What is it?", None),
        ("quotes", "Is it 5'10\" tall?", None),
        ("opening", "What is it made of?", "I'm wondering about this: What is it made of?"),
        ("opening", "What is it?", None),
        ("template", "Which of these is it?", "Q:\n\nWhich of these is it?\n\nA:"),
        (
            "template",
            "Write a poem about rain.",
            "### Instruction:\nWrite a poem about rain.\n\n### Response:",
        ),
        ("bullets", "Tom has a dog. It barks.", "- Tom has a dog.\n- It barks."),
        ("shorthand", "Is it because you are sad?", "Is it bc u are sad?"),
        ("upper case", "Why is x so big?", "WHY IS x SO BIG?"),
        ("option labels", CHOICE, "Which planet is the largest?\n(A) Mars\n(B) Jupiter"),
        ("instruction last", PASTED, PASTED[20:] + "\n\nWhat does this do?"),
        ("instruction last", PASTED[20:] + "\n\nWhat does this do?", PASTED),
        ("code fence", PASTED, PASTED.replace("def", "```\ndef") + "\n```"),
        ("code fence", "What does print(3) do?", None),
        ("sentence order", LONG, "Tom walks to school. Apples cost two dollars. " + LONG[46:]),
        ("sentence order", "Tom has a dog. He walks it. How old is it?", None),
    ],
)
def test_a_rule_does_what_it_says(kind: str, text: str, expected: str | None) -> None:
    assert perturb(text, kind, 3) == expected


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("What is the largest lake?", {"biggest", "highest", "greatest"}),
        ("Compute the sum.", {"Calculate"}),
        ("I need an easy recipe.", {"simple", "require"}),
        ("Is it approximately five?", {"roughly", "about"}),
    ],
)
def test_a_synonym_is_put_in_whole_with_its_case(text: str, among: set[str]) -> None:
    found = {perturb(text, "synonyms", seed) for seed in range(40)}
    new = {word for one in found if one for word in re.findall(r"\w+", one)}
    assert new - set(re.findall(r"\w+", text)) - {"a", "an"} <= among
    assert new & among


@pytest.mark.parametrize(
    "text",
    [
        "He used to walk, and it is composed of wood.",  # part of something else
        "The maximum of the function is what?",  # no adjective
        "New York has a Large Hadron Collider.",  # names
        "male, bike, movie, gear",  # words given as such
        "Call get_largest() or find.largest here.",
    ],
)
def test_a_word_that_means_more_is_left_alone(text: str) -> None:
    assert {perturb(text, "synonyms", seed) for seed in range(20)} == {None}


@pytest.mark.parametrize("kind", ["synonyms", "swapped letters", "lower case", "quotes"])
def test_a_request_about_the_letters_themselves_keeps_them(kind: str) -> None:
    assert perturb("How many letters are in the easy word 'Strawberry'?", kind, 1) is None


@pytest.mark.parametrize("kind", ["could you", "please", *RESTATEMENTS[:5]])
def test_small_talk_is_not_made_into_work(kind: str) -> None:
    assert perturb("hi", kind, 1) is None
    assert perturb("and you?", kind, 1) is None


@pytest.mark.parametrize("kind", [*RESTATEMENTS[:5], "shorthand", "instruction last"])
def test_no_english_is_put_into_another_language(kind: str) -> None:
    assert (
        perturb("请填出下列古文中缺失的一个汉字，不要解释。\n\n你好吗？ you with", kind, 1) is None
    )


@given(prose, seeds)
def test_wrapped_lines_are_the_only_difference(text: str, seed: int) -> None:
    changed = perturb(text, "wrapped lines", seed)
    assert changed is None or changed.replace("\n", " ") == text
    if len(text) > 80:
        assert changed is not None
        assert max(map(len, changed.split("\n"))) <= 72


def test_there_are_many_groups_of_synonyms_and_none_contradicts_another() -> None:
    groups = [group for part in PARTS for group in rules()[part]]
    assert len(groups) >= 120
    for group in groups:
        assert len({word.rstrip("*") for word in group}) == len(group) > 1, group
        assert any(not word.endswith("*") for word in group), group
    for part in PARTS:
        taken = Counter(word for group in rules()[part] for word in group if word[-1] != "*")
        assert [word for word, count in taken.items() if count > 1] == []


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        perturb("hello", "upside down", 1)
