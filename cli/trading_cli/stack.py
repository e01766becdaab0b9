"""A deployed stack: its address, the real names of its parts, and its functions to be called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from trading_cli.errors import UserError
from trading_cli.target import Target


class FunctionError(UserError):
    """A function raised instead of answering."""


@dataclass(frozen=True)
class Stack:
    """A stack by its outputs and by its resources (logical id to physical id).

    ``types`` are the resources' types by logical id.
    """

    target: Target
    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, target: Target, name: str) -> Stack:
        """Look the stack up. Raises UserError if there is none of that name."""
        client = target.client("cloudformation")
        try:
            described = client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            where = target.endpoint or f"AWS, region {target.region}"
            raise UserError(f"There is no stack '{name}' at {where}.") from error
        pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
        listed = [r for page in pages for r in page["StackResourceSummaries"]]
        return cls(
            target=target,
            name=name,
            outputs={o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])},
            resources={r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed},
            types={r["LogicalResourceId"]: r["ResourceType"] for r in listed},
        )

    @property
    def api_url(self) -> str:
        """The API's base address. An emulator has no host names, so it is asked by path."""
        if self.target.endpoint is None:
            return self.outputs["ApiUrl"]
        api, stage = self.outputs["ApiId"], self.outputs["StageName"]
        return f"{self.target.endpoint}/restapis/{api}/{stage}/_user_request_"

    def resource(self, logical_id: str) -> str:
        """Return the real name of a function or table, or the address of a queue."""
        try:
            return self.resources[logical_id]
        except KeyError:
            raise UserError(f"The stack '{self.name}' has no {logical_id}.") from None

    def of_type(self, kind: str) -> dict[str, str]:
        """Return the real names of all resources of a type, by logical id."""
        return {name: self.resources[name] for name, t in self.types.items() if t == kind}

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function by its logical id and return its answer, parsed.

        Raises FunctionError with the function's error if it raised.
        """
        answer = self._lambda.invoke(
            FunctionName=self.resource(function), Payload=json.dumps(dict(event)).encode()
        )
        payload = answer["Payload"].read()
        parsed = json.loads(payload) if payload else None
        if "FunctionError" in answer:
            message = parsed.get("errorMessage", parsed) if isinstance(parsed, dict) else parsed
            raise FunctionError(f"{function} failed: {message}")
        return parsed

    @cached_property
    def _lambda(self) -> Any:
        """The client that invokes; made once, since it is used thousands of times."""
        return self.target.client("lambda")
