from __future__ import annotations

import pytest

from xsession.testing._http import HTTPRequest
from xsession.testing._http._body_rules import form_refusal, json_object, json_refusal, s3_refusal, xml_tree


@pytest.mark.parametrize(
    ("form", "operation", "code"),
    [
        ("Action=GetCallerIdentity&A=", "GetCallerIdentity", None),
        (None, "POST", "MalformedInput"),
        ("Action=A&B=%ff", "A", "MalformedInput"),
        ("Action=A&Action=B", "A", "InvalidQueryParameter"),
        ("", "POST", "MissingAction"),
        ("Action=", "", "InvalidAction"),
        ("Action=a%20b", "a b", "InvalidAction"),
        ("Action=A&" + "&".join(f"A{number}=" for number in range(10_001)), "A", "MalformedInput"),
    ],
)
def test_a_form_names_one_action_and_each_field_once(form: str | None, operation: str, code: str | None) -> None:
    """In UTF-8."""
    refused = form_refusal(form, operation)
    assert (None if refused is None else refused.code) == code


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":NaN}', b'{"a":' + b"1" * 5_000 + b"}"])
def test_json_is_an_object(body: bytes) -> None:
    """Of a size and a depth that can be read."""
    assert json_object(body) is None
    refused = json_refusal(json_object(body), "ListTables")
    assert refused is not None
    assert refused.code == "SerializationException"


def test_json_that_is_right_passes() -> None:
    """Nothing at all stands for no fields."""
    assert json_object(b"") == {}
    assert json_refusal({"a": 1}, "ListTables") is None
    refused = json_refusal({}, "")
    assert refused is not None
    assert refused.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("tagging", b"<Tagging/>", None),
        ("policy", b"{}", None),
        ("tagging", b"<Tagging>", "MalformedXML"),
        ("tagging", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Tagging>&a;</Tagging>", "MalformedXML"),
        ("tagging", b"<?xml version='1.0' encoding='nonsense'?><a/>", "MalformedXML"),
        ("prefix=a&prefix=b", b"", "InvalidArgument"),
    ],
)
def test_s3_takes_xml_without_entities(query: str, body: bytes, code: str | None) -> None:
    """And each parameter once."""
    refused = s3_refusal(HTTPRequest("PUT", "/b", query, {}, body), is_object=False)
    assert (None if refused is None else refused.code) == code


def test_an_objects_content_is_nobodys_business() -> None:
    """Even if it looks like XML."""
    assert s3_refusal(HTTPRequest("PUT", "/b/k", "", {}, b"<"), is_object=True) is None
    assert xml_tree(b"<a/>") is not None
