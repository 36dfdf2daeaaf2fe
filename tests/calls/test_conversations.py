"""A chat is led by the history of its conversation, in which no tool call is left open."""

from __future__ import annotations

from rolecall.registry.calls.conversations import Conversation
from rolecall.registry.core.chat import Chat, Text, ToolCall, ToolResult, Turn, TurnRole


def turn(role: TurnRole, text: str) -> Turn:
    return Turn(role, (Text(text),))


def calling(*ids: str) -> Turn:
    return Turn("assistant", tuple(ToolCall(one, "weather", "{}") for one in ids))


def ran(*ids: str) -> Turn:
    return Turn("tool", tuple(ToolResult(one, (Text("rain"),)) for one in ids))


def not_run(*ids: str) -> Turn:
    results = (ToolResult(one, (Text("not run"),), "weather", is_error=True) for one in ids)
    return Turn("tool", tuple(results))


def texts(chat: Chat) -> list[str]:
    return [
        "".join(part.text for part in one.parts if isinstance(part, Text)) for one in chat.turns
    ]


def test_without_history_a_chat_is_as_it_was_given() -> None:
    chat = Chat((turn("system", "be brief"), turn("user", "hi")))
    assert Conversation("new").with_turns(chat) == (chat, 0)


def test_a_system_prompt_stays_until_a_new_one_takes_its_place() -> None:
    talk = Conversation(
        "talk", (turn("system", "old"), turn("user", "hi"), turn("assistant", "yes"))
    )
    kept, _ = talk.with_turns(Chat((turn("user", "and?"),)))
    assert texts(kept) == ["old", "hi", "yes", "and?"]
    replaced, _ = talk.with_turns(Chat((turn("system", "new"), turn("user", "and?"))))
    assert texts(replaced) == ["new", "hi", "yes", "and?"]


def test_of_system_prompts_given_in_turn_the_latest_counts() -> None:
    talk = Conversation(
        "talk",
        (
            turn("system", "old"),
            turn("user", "hi"),
            turn("assistant", "yes"),
            turn("system", "new"),
            turn("system", "and newer"),
            turn("user", "well"),
            turn("assistant", "so"),
        ),
    )
    chat, _ = talk.with_turns(Chat((turn("user", "and?"),)))
    assert texts(chat) == ["new", "and newer", "hi", "yes", "well", "so", "and?"]


def test_a_tool_that_was_not_run_is_told_before_the_next_question() -> None:
    before = (turn("user", "hi"), calling("a", "b"))
    talk = Conversation("talk", (turn("system", "be brief"), *before))
    chat, held = talk.with_turns(Chat((turn("user", "and?"),)))
    assert chat.turns == (
        turn("system", "be brief"),
        *before,
        not_run("a", "b"),
        turn("user", "and?"),
    )
    assert held == 4


def test_a_tool_that_was_never_run_is_told_where_it_was_called() -> None:
    talk = Conversation(
        "talk", (turn("user", "hi"), calling("a"), turn("user", "so?"), turn("assistant", "yes"))
    )
    chat, held = talk.with_turns(Chat((turn("user", "and?"),)))
    assert chat.turns == (*talk.turns[:2], not_run("a"), *talk.turns[2:], turn("user", "and?"))
    assert held == 5


def test_a_tool_whose_result_is_given_needs_no_other() -> None:
    talk = Conversation("talk", (turn("user", "hi"), calling("a", "b")))
    for results in ([ran("a", "b")], [ran("b"), ran("a")]):
        for rest in ([], [turn("user", "and?")]):
            given = (*results, *rest)
            assert talk.with_turns(Chat(given)) == (Chat((*talk.turns, *given)), 2)
    kept = Conversation("talk", (*talk.turns, ran("a"), ran("b"), turn("assistant", "yes")))
    asked = turn("user", "and?")
    assert kept.with_turns(Chat((asked,))) == (Chat((*kept.turns, asked)), 5)


def test_of_tools_whose_results_are_given_in_part_the_others_were_not_run() -> None:
    talk = Conversation("talk", (turn("user", "hi"), calling("a", "b", "c"), ran("b")))
    asked = turn("user", "and?")
    chat, held = talk.with_turns(Chat((ran("c"), asked)))
    assert chat.turns == (*talk.turns, ran("c"), not_run("a"), asked)
    assert held == 3


def test_of_calls_that_share_an_id_each_needs_a_result() -> None:
    talk = Conversation("talk", (turn("user", "hi"), calling("a", "a"), ran("a")))
    chat, _ = talk.with_turns(Chat((turn("user", "and?"),)))
    assert chat.turns[2:4] == (ran("a"), not_run("a"))


def test_a_result_that_comes_after_another_turn_is_too_late() -> None:
    talk = Conversation("talk", (turn("user", "hi"), calling("a")))
    asked = turn("user", "and?")
    chat, _ = talk.with_turns(Chat((asked, ran("a"))))
    assert chat.turns == (*talk.turns, not_run("a"), asked, ran("a"))
