"""The rules and the dashboard in docs/monitoring speak of figures that services really show."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.services.test_prometheus import scrape
from tests.support.aws import RESOURCES, ROOT
from tests.support.floor import good, open_floor, place
from tests.support.http import Context

FOLDER = ROOT / "docs" / "monitoring"
_NAME = re.compile(r"\btrading_\w+")
_LABELS = re.compile(r"(trading_\w+)\{([^}]*)\}")


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """Every expression of the rules and of the dashboard."""
    dashboard = json.loads((FOLDER / "grafana.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


@pytest.fixture
def figures(account: None) -> dict[str, set[str]]:
    """The labels of every figure that a floor on which something happened shows."""
    from risk.handler import on_schedule

    open_floor(limits={"max_drawdown_percent": 50})
    place("1")
    signal = {"source": "s", "strategy": "t", "symbol": "ACME", "score": "1"}
    good("POST", "/signals", signal | {"time": "2026-01-01T00:00:00Z"})
    good(
        "POST",
        "/recommendations",
        {"portfolio_id": "main", "symbol": "ACME", "side": "buy", "quantity": "1"},
        key="r",
    )
    on_schedule({}, Context())
    found: dict[str, set[str]] = {}
    for name, labels in scrape():
        found.setdefault(name, set()).update(name for name, _ in labels)
    return found


def test_every_expression_names_figures_and_labels_that_are_there(
    figures: dict[str, set[str]],
) -> None:
    used = {name for text in expressions() for name in _NAME.findall(text)}
    assert used - {"trading_backtests"} <= set(figures)
    for text in expressions():
        for name, inside in _LABELS.findall(text):
            for label in re.findall(r"(\w+)=", inside):
                assert label in figures[name], text


def test_every_figure_is_on_the_dashboard_or_is_none_of_interest(
    figures: dict[str, set[str]],
) -> None:
    shown = {name for text in expressions() for name in _NAME.findall(text)}
    assert set(figures) - shown == {"trading_keys_up", "trading_instruments"}


def test_prometheus_asks_every_service() -> None:
    document = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = document["scrape_configs"]
    paths = {c["labels"]["__metrics_path__"].split("/", 2)[2] for c in job["static_configs"]}
    served = {
        event["Properties"]["Path"].strip("/")
        for resource in RESOURCES.values()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Properties"].get("Path", "").endswith("/metrics")
    }
    assert paths == served


def test_every_alert_leads_to_a_chapter_of_the_runbook() -> None:
    chapters = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert {rule["annotations"]["runbook"] for rule in rules()} <= set(chapters)


def test_the_dashboard_of_the_account_is_json_of_metrics_that_are_counted() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Sub"]
    text = json.dumps(json.loads(body))
    for name in (
        *("Orders", "RiskRejections", "Signals", "Requests", "Latency", "VenueLatency"),
        *("QueueAge", "Drawdown", "StalePrices", "FailedAttempts", "ReconciliationDifferences"),
    ):
        assert f'"{name}"' in text.replace('\\"', '"'), name
    referred = set(re.findall(r"\$\{(\w+)", body))
    assert referred - {"AWS"} <= set(RESOURCES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool, of Prometheus")
def test_promtool_finds_the_rules_valid_and_they_fire_when_they_should() -> None:
    for line in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(
            ["promtool", *line], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
