"""A whole deployed platform for tests: an emulator of its own, thrown away afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.aws import RESOURCES
from trading_cli import emulator
from trading_cli.api import Api
from trading_cli.deploy import STACK_NAME, build, deploy, local_parameters
from trading_cli.keys import create_key
from trading_cli.project import find_project
from trading_cli.stack import Stack


@dataclass(frozen=True)
class LocalStack:
    """The deployed template as tests use it."""

    stack: Stack

    @property
    def endpoint(self) -> str:
        """The emulator's address, for boto3's ``endpoint_url``."""
        assert self.stack.target.endpoint
        return self.stack.target.endpoint

    @property
    def api_url(self) -> str:
        """The API's base address."""
        return self.stack.api_url

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        return self.stack.outputs

    def resource(self, logical_id: str) -> str:
        """The real name of a table or function, or a queue's address."""
        return self.stack.resource(logical_id)

    @cached_property
    def environment(self) -> dict[str, dict[str, str]]:
        """Every deployed function's environment, by logical id."""
        functions = [n for n, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"]
        client = self.client("lambda")
        return {
            name: client.get_function_configuration(FunctionName=self.resource(name))[
                "Environment"
            ]["Variables"]
            for name in functions
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return self.stack.target.client(service)

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function by its logical id; raises FunctionError if it raised."""
        return self.stack.invoke(function, event)

    def key(self, scopes: Sequence[str] = (), portfolios: Sequence[str] | None = None) -> str:
        """Make an API key; with every scope unless some are named."""
        return create_key(self.stack, "test", scopes, portfolios or ())

    def api(self, key: str | None = None) -> Api:
        """A client of the API; with a key that may do everything unless one is given."""
        return Api(self.api_url, self.key() if key is None else key)


@contextmanager
def deployed() -> Iterator[LocalStack]:
    """Build and deploy the real template to an emulator on a free port; take all down after."""
    project = find_project()
    with emulator.temporary() as own:
        build(project)
        deploy(project, own.target, local_parameters(schedules=False))
        yield LocalStack(Stack.read(own.target, STACK_NAME))
