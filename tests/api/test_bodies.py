"""What a body may be, and that it is read exactly."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.demo import BULK_LIMIT, api
from tests.support.http import Answer, invoke
from trading.api import exact_json
from trading.api.problems import MalformedBody


def post(body: Any, path: str = "/things", **options: Any) -> Answer:
    return invoke(api, "POST", path, body, **options)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("0.1", "0.1"),
        ('"0.1"', "0.1"),
        ("100", "100"),
        ("1e2", "100"),
        ("-0.0", "0"),
        ('"0.10"', "0.1"),
        ("999999999999.12345678", "999999999999.12345678"),
        ("-999999999999.99999999", "-999999999999.99999999"),
        ("0.00000001", "0.00000001"),
        ("0e400", "0"),
    ],
)
def test_an_amount_comes_back_exactly_and_without_exponent(sent: str, shown: str) -> None:
    answer = post(f'{{"amount": {sent}}}')
    assert answer.status == 201
    assert answer.json["amount"] == shown


@given(st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=8))
def test_every_amount_survives_the_journey_as_number_and_as_text(value: Decimal) -> None:
    for sent in (f"{value:f}", f'"{value:f}"'):
        assert Decimal(post(f'{{"amount": {sent}}}').json["amount"]) == value


@pytest.mark.parametrize(
    "sent",
    [
        "true", "null", "[]", "{}", '""', '" 1"', '"1e2"', '"NaN"', '"Infinity"',
        '"0x10"',
        '"\u0661"', '"1_000"', "1000000000000", "0.000000001", "1e300",
        '"' + "9" * 40 + '"', "9" * 40,
    ],
)  # fmt: skip
def test_what_is_not_an_exact_amount_is_rejected(sent: str) -> None:
    answer = post(f'{{"amount": {sent}}}')
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "amount"


@pytest.mark.parametrize("price", ["0", "-1", "0e5"])
def test_a_positive_amount_is_above_zero(price: str) -> None:
    assert post(f'{{"amount": 1, "price": {price}}}').status == 422


@pytest.mark.parametrize(
    "body",
    [
        "{", "nonsense", '{"amount": NaN}', '{"amount": Infinity}', '{"amount": -Infinity}',
        '{"amount": 1} x', '{"amount": 1e999999999}', '{"amount": 1e99999999999999999999}',
        '{"amount": 1, "amount": 2}', '{"amount": 1, "note": "\\ud800"}',
        '{"amount": 1, "\\ud800": 1}', '{"amount": ' + "9" * 5000 + "}",
        '{"amount": 1, "note": ' + "[" * 21 + "]" * 21 + "}",
        '{"amount": 1, "note": ' + "[" * 50_000 + "]" * 50_000 + "}",
    ],
)  # fmt: skip
def test_malformed_json_is_a_400_problem(body: str) -> None:
    answer = post(body)
    assert answer.status == 400
    assert answer.json["type"] == "urn:trading:problem:malformed-body"


def test_text_that_is_not_utf8_is_a_400_problem() -> None:
    with pytest.raises(MalformedBody):
        exact_json.parse(b'{"amount": "\xff"}')


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_ordinary_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    assert exact_json.parse(json.dumps(value).encode()) == value


def test_an_unknown_field_is_named() -> None:
    answer = post({"amount": 1, "amonut": 2})
    assert answer.status == 422
    assert answer.errors == {"amonut": "is not a field of this request"}


@pytest.mark.parametrize("body", [None, "", "[]", "null", "5", '"text"'])
def test_a_body_of_the_wrong_shape_is_rejected(body: str | None) -> None:
    assert post(body).status == 422


def test_a_body_over_the_limit_is_a_413_problem() -> None:
    answer = post({"amount": 1, "note": "x" * 256 * 1024})
    assert answer.status == 413
    assert answer.json["type"] == "urn:trading:problem:payload-too-large"


def test_a_route_may_have_a_larger_limit_of_its_own() -> None:
    thing = {"amount": 1, "note": "x" * 300 * 1024}
    assert post([thing], "/things/bulk").status == 200
    assert post([thing] * (BULK_LIMIT // (300 * 1024) + 1), "/things/bulk").status == 413


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_media_type_is_a_415_problem(media_type: str) -> None:
    assert post({"amount": 1}, headers={"Content-Type": media_type}).status == 415


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_recognised_with_parameters_and_in_any_case(media_type: str) -> None:
    assert post({"amount": 1}, headers={"Content-Type": media_type}).status == 201


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31T12:00:00.000001Z", "2026-01-31T12:00:00.000001Z"),
    ],
)
def test_a_time_is_shown_in_utc(sent: str, shown: str) -> None:
    assert post({"amount": 1, "at": sent}).json["at"] == shown


@pytest.mark.parametrize(
    "at",
    ["2026-01-31T12:00:00", "2026-01-31", 1767225600, True, "0001-01-01T00:00:00+14:00",
     "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "now"],
)  # fmt: skip
def test_a_time_without_offset_or_sense_is_rejected(at: Any) -> None:
    answer = post({"amount": 1, "at": at})
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "at"
