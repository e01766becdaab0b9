"""Pages in browsers: off by default, and by a list of origins."""

import pytest

from tests.api.demo import api
from tests.support.http import Answer, invoke
from trading.settings import settings

PAGE = "https://desk.example.test"
ASKING = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "X-TRADING-API-KEY,Idempotency-Key",
}


def allow(environment: pytest.MonkeyPatch, origins: str) -> None:
    environment.setenv("CORS_ORIGINS", origins)
    settings.cache_clear()


def ask(origin: str = PAGE) -> Answer:
    return invoke(api, "OPTIONS", "/things", headers=ASKING | {"Origin": origin}, scopes=None)


def cors(answer: Answer) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k.startswith("access-control-")}


def test_by_default_no_page_may_call() -> None:
    assert ask().status == 405
    assert cors(ask()) == {}
    answer = invoke(api, "POST", "/things", {"amount": 1}, {"Origin": PAGE})
    assert answer.status == 201
    assert cors(answer) == {}


def test_a_page_of_a_named_origin_may_call_with_its_key(environment: pytest.MonkeyPatch) -> None:
    allow(environment, f"https://other.example.test,{PAGE}")
    answer = ask()
    assert answer.status == 200
    told = cors(answer)
    assert told["access-control-allow-origin"] == PAGE
    assert "X-TRADING-API-KEY" in told["access-control-allow-headers"]
    assert "DELETE" in told["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in told
    answer = invoke(api, "POST", "/things", {"amount": 1}, {"Origin": PAGE})
    assert answer.status == 201
    assert cors(answer)["access-control-allow-origin"] == PAGE
    assert "x-correlation-id" in cors(answer)["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", f"{PAGE}.evil.test", "http://desk.example.test", "null", "*", ""],
)
def test_no_other_page_may(environment: pytest.MonkeyPatch, origin: str) -> None:
    allow(environment, PAGE)
    assert ask(origin).status == 400
    assert "access-control-allow-origin" not in ask(origin).headers
    answer = invoke(api, "POST", "/things", {"amount": 1}, {"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
