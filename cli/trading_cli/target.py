"""Which AWS the tool talks to: an emulator of its own, any other endpoint, or the real one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Target:
    """An AWS endpoint; ``endpoint`` is None for the real AWS, with the user's own settings.

    ``own`` marks an emulator of this tool: nothing of the user's AWS settings reaches it.
    """

    endpoint: str | None = None
    own: bool = False

    @property
    def region(self) -> str:
        """The region that clients use."""
        if self.own:
            return REGION
        configured = boto3.session.Session().region_name
        return configured or REGION

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return ``base`` (the present environment) with the AWS variables for this target."""
        given = dict(os.environ if base is None else base)
        if self.own:
            given = {k: v for k, v in given.items() if not k.startswith("AWS_")}
            given |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        given.setdefault("AWS_DEFAULT_REGION", self.region)
        if self.endpoint:
            given["AWS_ENDPOINT_URL"] = self.endpoint
            if "AWS_PROFILE" not in given and "AWS_ACCESS_KEY_ID" not in given:
                given |= FAKE_CREDENTIALS
        return given

    def client(self, service: str) -> Any:
        """Return a boto3 client for this target."""
        settings: dict[str, Any] = {}
        faked = self.own or (
            self.endpoint and not {"AWS_PROFILE", "AWS_ACCESS_KEY_ID"} & os.environ.keys()
        )
        if faked:
            settings = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            region_name=self.region,
            endpoint_url=self.endpoint,
            # A function may compute for longer than the default minute; a retried invocation
            # would do its work twice.
            config=Config(read_timeout=900, retries={"max_attempts": 2, "mode": "standard"}),
            **settings,
        )
