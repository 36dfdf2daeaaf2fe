from rolecall.registry.core.requests import Message, Request
from rolecall.registry.routing.rules.request_structure import task_by_structure


def test_tools_come_before_images_and_images_before_length() -> None:
    message = Message("user", "x" * 400_000, ("image",))
    with_tools = task_by_structure(Request((message,), tool_names=("a", "b")))
    with_image = task_by_structure(Request((message,)))
    long = task_by_structure(Request((Message("user", "x" * 400_000),)))
    assert with_tools is not None
    assert (with_tools.kind, with_tools.detected_by) == ("agent", "2 tools attached")
    assert with_image is not None
    assert (with_image.kind, with_image.detected_by) == ("vision", "1 image attached")
    assert long is not None
    assert (long.kind, long.detected_by) == ("long_context", "about 100k tokens")


def test_a_declared_count_decides_what_is_long() -> None:
    request = Request((Message("user", "x" * 400_000),), input_tokens=100)
    assert task_by_structure(request) is None
