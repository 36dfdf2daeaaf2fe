from rolecall.registry.core.entities import Model
from rolecall.registry.core.requests import Message, Request
from rolecall.registry.routing.rules.requirements import capabilities_of, requirements


def test_a_plain_request_needs_nothing_but_text() -> None:
    found = requirements(Request((Message("user", "hello"),)))
    assert (found.needs, found.modalities) == ((), ("text",))


def test_what_is_attached_is_needed_and_says_why() -> None:
    request = Request(
        (Message("user", "a", ("image", "pdf")), Message("user", "b", ("image",))),
        tool_names=("search",),
        schema_chars=10,
        needs=("reasoning",),
    )
    found = requirements(request)
    assert found.needs == (
        ("vision", "2 images attached"),
        ("tools", "1 tool attached"),
        ("json_schema", "an answer schema is given"),
        ("reasoning", "asked for"),
    )
    assert found.modalities == ("text", "image", "pdf")


def test_a_need_with_two_reasons_is_named_once() -> None:
    request = Request((Message("user", "a"),), tool_names=("a", "b"), needs=("tools", "tools"))
    assert requirements(request).needs == (("tools", "2 tools attached, asked for"),)


def test_a_more_specific_capability_meets_a_need_and_a_wider_one_does_not() -> None:
    met = capabilities_of(Model("m", capabilities=("tools.parallel.strict", "code", "codex")))
    assert met == {"tools.parallel.strict", "tools.parallel", "tools", "code", "codex"}


def test_a_model_that_takes_images_has_vision() -> None:
    assert "vision" in capabilities_of(Model("m", modalities=("text", "image")))
    assert "vision" not in capabilities_of(Model("m", modalities=("text", "pdf")))
