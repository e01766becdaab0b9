"""Who may do what: the roles of the transformed template against one reviewed table."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
import yaml
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.support.aws import ROOT

TABLE = ROOT / "tests" / "architecture" / "permissions.yaml"
Matrix = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def roles() -> Mapping[str, Any]:
    """Every role that CloudFormation will make, SAM's own ones included."""
    document = yaml_parse((ROOT / "template.yaml").read_text())
    document["Globals"]["Function"].pop("CodeUri")
    for resource in document["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://bucket/code"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = "s3://bucket/layer"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    session = boto3.Session(region_name="us-east-1")
    found = Translator({}, Parser(), boto_session=session).translate(document, parameter_values={})
    return {
        name: resource["Properties"]
        for name, resource in found["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


def statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a role's own policies say."""
    for policy in role.get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A resource as the table names it: OrdersTable, OrdersTable/index/open."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn" | "StreamArn" as attribute]}:
            return str(name) + ("/stream" if attribute == "StreamArn" else "")
        case {"Ref": name}:
            return str(name)
        case {"Fn::Sub": text}:
            found = re.fullmatch(r"\$\{(\w+)\.Arn\}/(.+)", text)
            if found:
                return f"{found[1]}/{found[2]}"
            return text.partition("${AWS::AccountId}:")[2].replace("${AWS::StackName}", "stack")
    raise AssertionError(f"the table has no name for {resource}")


def matrix(roles: Mapping[str, Any]) -> Matrix:
    """Role by resource by verbs, sorted; a condition stands behind its verb."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, role in roles.items():
        for statement in statements(role):
            assert statement["Effect"] == "Allow"
            limited = " (with a condition)" if "Condition" in statement else ""
            for resource in as_list(statement["Resource"]):
                verbs = found.setdefault(name, {}).setdefault(named(resource), set())
                verbs |= {verb + limited for verb in as_list(statement["Action"])}
    return {
        role: {resource: sorted(verbs) for resource, verbs in sorted(resources.items())}
        for role, resources in sorted(found.items())
    }


def test_every_role_may_do_exactly_what_the_reviewed_table_says(roles: Mapping[str, Any]) -> None:
    assert matrix(roles) == yaml.safe_load(TABLE.read_text())


def test_no_role_is_given_a_policy_that_others_wrote(roles: Mapping[str, Any]) -> None:
    assert {name for name, role in roles.items() if role.get("ManagedPolicyArns")} == set()


def test_an_index_is_only_asked(roles: Mapping[str, Any]) -> None:
    found = [v for role in matrix(roles).values() for r, v in role.items() if "/index/" in r]
    assert found
    assert all(verbs == ["dynamodb:Query"] for verbs in found)


def test_a_role_is_for_one_service_only(roles: Mapping[str, Any]) -> None:
    for role in roles.values():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            services = as_list(statement["Principal"]["Service"])
            assert len(services) == 1
            assert services[0] in (
                "lambda.amazonaws.com",
                "scheduler.amazonaws.com",
                "states.amazonaws.com",
            )


def test_wildcards_stand_only_where_aws_knows_no_other_name(roles: Mapping[str, Any]) -> None:
    """Objects of one folder of one bucket; executions of one state machine."""
    for resources in matrix(roles).values():
        for resource, verbs in resources.items():
            assert not any("*" in verb for verb in verbs)
            if "*" in resource:
                assert re.fullmatch(r"\w+Bucket/[a-z]+/\*|execution:stack-sweeps/\*", resource)
