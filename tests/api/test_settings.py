"""Reading the environment."""

import pytest

from trading.settings import MissingSettingError, Settings, settings


def test_a_missing_variable_is_named_when_it_is_asked_for_and_not_before() -> None:
    empty = Settings({})
    with pytest.raises(MissingSettingError, match="ORDERS_TABLE"):
        _ = empty.orders_table


def test_lists_are_separated_by_commas() -> None:
    assert Settings({"WATCH_LIST": "AAPL, IBM,,"}).watch_list == ("AAPL", "IBM")


def test_the_timeframe_is_a_day_unless_set() -> None:
    assert Settings({}).timeframe == "1d"
    assert Settings({"TIMEFRAME": "1h"}).timeframe == "1h"


def test_the_environment_is_read_once(environment: pytest.MonkeyPatch) -> None:
    assert settings().stage == "test"
    environment.setenv("STAGE", "other")
    assert settings().stage == "test"
    settings.cache_clear()
    assert settings().stage == "other"
