"""What template.yaml promises of every function, table, queue and schedule."""

import json
import re
from typing import Any

import pytest

from tests.support.aws import ENVIRONMENT, RESOURCES, ROOT, template
from trading.schemas.problem import Problem
from trading.usecases.sweep_in_chunks import SIDE_BY_SIDE

TEMPLATE = template()


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Logical id and properties of every resource of a type."""
    return {
        name: resource["Properties"]
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


FUNCTIONS = of_type("AWS::Serverless::Function")
TABLES = of_type("AWS::DynamoDB::Table")
GATEWAY = RESOURCES["Api"]["Properties"]["GatewayResponses"]
ALARMS = of_type("AWS::CloudWatch::Alarm")


def events(function: str, kind: str) -> list[dict[str, Any]]:
    """Properties of a function's triggers of one type."""
    found = FUNCTIONS[function].get("Events", {}).values()
    return [event["Properties"] for event in found if event["Type"] == kind]


SCHEDULED = [name for name in FUNCTIONS if events(name, "ScheduleV2")]


def routes() -> dict[tuple[str, str], dict[str, Any]]:
    """Every route of the API with its trigger's properties."""
    return {
        (event["Method"], event["Path"]): event
        for function in FUNCTIONS
        for event in events(function, "Api")
        if event["Method"] != "options"
    }


def statements(function: str) -> list[dict[str, Any]]:
    """Every policy statement of a function's role."""
    policies = RESOURCES[role_of(function)]["Properties"]["Policies"]
    return [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]


def role_of(function: str) -> str:
    """The role that a function has for itself."""
    name: str = FUNCTIONS[function]["Role"]["GetAtt"]
    return name.removesuffix(".Arn")


def as_list(value: Any) -> list[Any]:
    """A policy field that may be one thing or a list of them."""
    return value if isinstance(value, list) else [value]


def test_the_routes_are_those_of_the_openapi_document() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    methods = {"get", "put", "post", "delete", "patch"}
    documented = {
        (method, path)
        for path, item in document["paths"].items()
        for method in methods & item.keys()
    }
    assert set(routes()) == documented


def test_no_route_is_served_twice() -> None:
    served = [(e["Method"], e["Path"]) for f in FUNCTIONS for e in events(f, "Api")]
    assert len(served) == len(set(served))


def test_a_browser_may_ask_about_every_path_without_a_key() -> None:
    asked = {
        event["Path"]: (function, event["Auth"])
        for function in FUNCTIONS
        for event in events(function, "Api")
        if event["Method"] == "options"
    }
    owners = {e["Path"]: f for f in FUNCTIONS for e in events(f, "Api") if e["Method"] != "options"}
    assert asked.keys() == owners.keys()
    assert all(auth == {"Authorizer": "NONE"} for _, auth in asked.values())
    services = {path: FUNCTIONS[owners[path]]["Handler"] for path in owners}
    assert {path: FUNCTIONS[f]["Handler"] for path, (f, _) in asked.items()} == services


def test_only_health_needs_no_key() -> None:
    public = {path for (_, path), event in routes().items() if "Auth" in event}
    assert public == {path for _, path in routes() if path.endswith("/health")}
    assert all(routes()["get", path]["Auth"] == {"Authorizer": "NONE"} for path in public)


def test_every_route_is_served_by_the_service_that_its_prefix_names() -> None:
    folders = {"orders": "execution", "executions": "execution", "backtests": "backtesting"}
    for function in FUNCTIONS:
        for event in events(function, "Api"):
            prefix = event["Path"].split("/")[1]
            service = FUNCTIONS[function]["Handler"].split(".")[0]
            assert service == folders.get(prefix, prefix)


def test_the_authorizer_reads_the_key_header_and_forgets_within_a_minute() -> None:
    auth = of_type("AWS::Serverless::Api")["Api"]["Auth"]
    identity = auth["Authorizers"][auth["DefaultAuthorizer"]]["Identity"]
    assert identity["Headers"] == ["X-TRADING-API-KEY"]
    assert 0 < identity["ReauthorizeEvery"] <= 60


def test_the_api_is_throttled_as_the_parameters_say() -> None:
    (settings,) = of_type("AWS::Serverless::Api")["Api"]["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_first_word_of_a_function_names_its_folder(function: str) -> None:
    word = re.match(r"[A-Z][a-z0-9]*", function)
    assert word
    assert FUNCTIONS[function]["Handler"].split(".")[0] == word.group().lower()
    assert RESOURCES[function]["Metadata"] == {"BuildMethod": "makefile"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_states_its_memory_and_its_timeout(function: str) -> None:
    assert 128 <= FUNCTIONS[function]["MemorySize"] <= 10240
    longest = 29 if events(function, "Api") else 900  # the gateway waits 29 seconds
    assert 1 <= FUNCTIONS[function]["Timeout"] <= longest


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_keeps_its_logs_for_a_stated_time(function: str) -> None:
    group = FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]
    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_its_alarms(function: str) -> None:
    dimension = [{"Name": "FunctionName", "Value": {"Ref": function}}]
    watching = {a["MetricName"]: a for a in ALARMS.values() if a["Dimensions"] == dimension}
    assert set(watching) == {"Errors", "Throttles", "Duration"}
    assert watching["Duration"]["ExtendedStatistic"] == "p99"
    assert watching["Duration"]["Threshold"] < FUNCTIONS[function]["Timeout"] * 1000
    conditional = {n for n in ALARMS if RESOURCES[n].get("Condition") == "HasAllAlarms"}
    names = {a["MetricName"]: n for n, a in ALARMS.items() if a["Dimensions"] == dimension}
    assert {names["Throttles"], names["Duration"]} <= conditional
    assert names["Errors"] not in conditional


def test_what_matters_to_the_money_is_watched_in_every_stage() -> None:
    watched = {
        (alarm["Namespace"], alarm["MetricName"])
        for name, alarm in ALARMS.items()
        if "Condition" not in RESOURCES[name]
    }
    assert {
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("Trading", "StalePrices"),
        ("Trading", "Drawdown"),
        ("Trading", "ReconciliationDifferences"),
        ("Trading", "FailedAttempts"),
    } <= watched


def test_every_alarm_can_be_mailed() -> None:
    mailed = {"If": ["HasAlarmEmail", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    assert all(alarm["AlarmActions"] == mailed for alarm in ALARMS.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_names_what_it_may_touch(function: str) -> None:
    for statement in statements(function):
        for action in as_list(statement["Action"]):
            assert "*" not in action
        for resource in as_list(statement["Resource"]):
            if "*" in str(resource):  # the objects of one folder of one bucket have no other name
                assert re.fullmatch(r"\$\{\w+Bucket\.Arn\}/[a-z]+/\*", resource["Sub"])
                assert all(action.startswith("s3:") for action in as_list(statement["Action"]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_told_of_exactly_the_tables_that_it_may_touch(function: str) -> None:
    variables = FUNCTIONS[function]["Environment"]["Variables"]
    told = {table for table, variable in ENVIRONMENT.items() if variable in variables}
    granted = set(re.findall(r"(\w+Table)\.Arn", str(statements(function))))
    assert told == granted


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_may_scan_a_table(function: str) -> None:
    actions = {a for s in statements(function) for a in as_list(s["Action"])}
    assert "dynamodb:Scan" not in actions


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_trigger_has_an_event_to_try_it_with(function: str) -> None:
    folder = ROOT / "events" / FUNCTIONS[function]["Handler"].split(".")[0]
    cases = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    if events(function, "Api"):
        assert any("httpMethod" in c and c.get("type") != "REQUEST" for c in cases)
    if events(function, "SQS") or events(function, "DynamoDB"):
        assert any("Records" in case for case in cases)
    if function in SCHEDULED:
        assert any(not {"httpMethod", "Records"} & case.keys() for case in cases)
    if function == "AuthorizerFunction":
        assert any(case.get("type") == "REQUEST" for case in cases)


@pytest.mark.parametrize("function", SCHEDULED)
def test_every_schedule_can_be_switched_and_paced_by_parameters(function: str) -> None:
    (schedule,) = events(function, "ScheduleV2")
    state, rate = schedule["State"]["Ref"], schedule["ScheduleExpression"]["Ref"]
    assert TEMPLATE["Parameters"][state]["AllowedValues"] == ["ENABLED", "DISABLED"]
    assert re.match(r"(rate|cron)\(.+\)$", TEMPLATE["Parameters"][rate]["Default"])
    assert isinstance(json.loads(schedule["Input"]), dict)


def test_every_parameter_has_a_default() -> None:
    assert all("Default" in parameter for parameter in TEMPLATE["Parameters"].values())


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_encrypted_backed_up_and_billed_by_use(table: str) -> None:
    properties = TABLES[table]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"]["SSEEnabled"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


@pytest.mark.parametrize("table", TABLES)
def test_production_keeps_its_tables(table: str) -> None:
    kept = {"If": ["IsProduction", "Retain", "Delete"]}
    assert RESOURCES[table]["DeletionPolicy"] == kept
    assert RESOURCES[table]["UpdateReplacePolicy"] == kept
    assert TABLES[table]["DeletionProtectionEnabled"] == {"If": ["IsProduction", True, False]}


@pytest.mark.parametrize("bucket", of_type("AWS::S3::Bucket"))
def test_every_bucket_is_private_and_encrypted_and_kept_in_production(bucket: str) -> None:
    properties = of_type("AWS::S3::Bucket")[bucket]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    kept = {"If": ["IsProduction", "Retain", "Delete"]}
    assert RESOURCES[bucket]["DeletionPolicy"] == kept
    assert RESOURCES[bucket]["UpdateReplacePolicy"] == kept


def test_the_state_machine_runs_as_many_chunks_at_once_as_the_plan_counts_on() -> None:
    machine = of_type("AWS::Serverless::StateMachine")["SweepStateMachine"]
    chunks = machine["Definition"]["States"]["Chunks"]
    assert chunks["MaxConcurrency"] == SIDE_BY_SIDE
    assert chunks["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert chunks["ToleratedFailurePercentage"] == 100


def test_a_sweep_that_breaks_off_is_marked_and_fails_its_execution() -> None:
    machine = of_type("AWS::Serverless::StateMachine")["SweepStateMachine"]
    states = machine["Definition"]["States"]
    for state in ("Plan", "Chunks", "Rank"):
        assert [c["Next"] for c in states[state]["Catch"]] == ["Fail"]
    assert states[states["Fail"]["Next"]]["Type"] == "Fail"


def test_a_message_that_fails_three_times_goes_to_the_dead_letters() -> None:
    queues = of_type("AWS::SQS::Queue")
    redrive = queues["ExecutionQueue"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 3
    assert redrive["deadLetterTargetArn"] == {"GetAtt": "ExecutionDeadLetterQueue.Arn"}
    assert all(queue["FifoQueue"] for queue in queues.values())
    assert queues["ExecutionDeadLetterQueue"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert any(alarm["Namespace"] == "AWS/SQS" for alarm in ALARMS.values())


def test_a_price_that_cannot_be_handled_holds_up_no_other_for_long() -> None:
    streams = [event for function in FUNCTIONS for event in events(function, "DynamoDB")]
    assert streams
    for stream in streams:
        assert stream["Stream"] == {"GetAtt": "MarketTable.StreamArn"}
        assert stream["MaximumRetryAttempts"] <= 3
        assert stream["BatchSize"] <= 100
        assert "PRICES" in stream["FilterCriteria"]["Filters"][0]["Pattern"]


def test_a_message_stays_hidden_long_enough_for_its_consumer() -> None:
    (trigger,) = events("ExecutionQueueFunction", "SQS")
    timeout = FUNCTIONS["ExecutionQueueFunction"]["Timeout"]
    assert of_type("AWS::SQS::Queue")["ExecutionQueue"]["VisibilityTimeout"] >= 6 * timeout
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("kind", sorted(GATEWAY))
def test_what_the_gateway_itself_answers_is_a_problem_document(kind: str) -> None:
    headers = GATEWAY[kind]["ResponseParameters"]["Headers"]
    assert headers["Content-Type"] == "'application/problem+json'"
    assert all(re.fullmatch("'[^']*'", value) for value in headers.values())
    # The gateway puts a quoted text in place of messageString, and a bare one for the others.
    filled = GATEWAY[kind]["ResponseTemplates"]["application/json"]
    filled = filled.replace("$context.error.messageString", '"why"')
    filled = re.sub(r"\$context\.(resourcePath|requestId)", "/orders/{id}", filled)
    assert "$" not in filled
    body = json.loads(filled)
    assert Problem.model_validate({"status": 400} | body).title
