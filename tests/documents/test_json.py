"""A registry document in JSON is read as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.nodes import SequenceNode

from rolecall.registry.core.entities import Role
from rolecall.registry.core.errors import InvalidDocument
from rolecall.registry.documents.document import Document, parse_document
from rolecall.registry.documents.json_nodes import json_nodes


def document(role: str, name: str = "roles.json") -> Document:
    return parse_document('{"roles": [\n{"id": "fun", ' + role + "}]}", name)


def role_of(text: str, name: str = "roles.json") -> Role:
    [entry] = document(text, name).entries
    assert isinstance(entry.record, Role)
    return entry.record


def refusal(text: str, name: str = "roles.json") -> str:
    with pytest.raises(InvalidDocument) as caught:
        parse_document(text, name)
    return caught.value.message


def test_what_only_json_can_say_is_read() -> None:
    assert role_of(r'"description": "party \ud83c\udf89 a\/b"').description == "party 🎉 a/b"
    assert role_of('"worth":\t1e1').worth == 10
    assert role_of('"worth":\r\n4').worth == 4
    assert role_of('"worth": null').worth is None


@pytest.mark.parametrize("name", ["roles.txt", "stdin"])
def test_json_is_known_by_what_it_holds(name: str) -> None:
    assert role_of(r'"description": "\ud83c\udf89"', name).description == "🎉"


def test_yaml_in_braces_is_still_yaml() -> None:
    assert role_of("description: fun", "roles.yaml").description == "fun"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"roles": [\n{"id": "f", "nope": 1}]}', "roles.json:2: roles[0].nope: unknown key"),
        ('{"roles": [{"id": "f",\n"id": "g"}]}', "roles.json:2: roles[0].id: this key"),
        ('{"roles": [\n{"id": "f"},]}', "roles.json:2: not valid JSON: "),
        ('{"roles": [{"id": "f", "worth": NaN}]}', "roles.json: not valid JSON: NaN is no number"),
        ('{"roles": [{"id": "f", "worth": "4"}]}', "roles.json:1: roles[0].worth: expected"),
        ('{"roles": [{"id": "f", "worth": true}]}', "roles.json:1: roles[0].worth: expected"),
        ('{"roles": [{"id": 7}]}', "roles.json:1: roles[0].id: expected text, found a number"),
        ('{"roles": [{"id": "f", "worth": ' + "9" * 5000 + "}]}", "roles.json: not valid JSON: 99"),
        (r'{"roles": [{"id": "f", "description": "\ud83c"}]}', "roles.json:1: an escape"),
        ('{"roles": ' + "[" * 60 + "]" * 60 + "}", "roles.json:1: nested more than 50 levels"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_named_with_its_line(text: str, problem: str) -> None:
    assert refusal(text).startswith(problem)


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([None, 1, "\t", "  "]))
def test_any_text_is_read_as_json_has_it(text: str, indent: int | str | None) -> None:
    written = json.dumps(["a", {"b": text, "c": [1.5, -2, True, None]}], indent=indent)
    top = json_nodes(written)
    assert isinstance(top, SequenceNode)
    [_, held] = top.value
    [(_, found), (_, numbers)] = held.value
    assert found.value == text
    assert found.start_mark.line == written[: written.index('"b"')].count("\n")
    assert [one.value for one in numbers.value] == ["1.5", "-2", "true", "null"]
