"""`python -m xsession.typing`: what type checkers know of the clients, for the stubs that are installed here.

Without it they know the services of the botocore that this release was made with, by whichever of types-boto3 and
boto3-stubs is installed. What it writes has newer services too, and fewer that are not used.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal, NamedTuple

import boto3
import botocore.session

__all__ = ["COMMON", "ServiceTypes", "installed_services", "main", "render_clients", "render_names"]

FAMILIES = ("types_boto3", "mypy_boto3")
"""What the packages of types-boto3 and of boto3-stubs begin with."""

Part = Literal["client", "service_resource"]

_NO_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Settings of a botocore session that reads no profile: which services there are does not depend on one."""

COMMON = (
    "s3", "ec2", "sts", "iam", "dynamodb", "lambda", "sqs", "sns", "cloudwatch", "logs", "cloudformation", "cloudtrail",
    "organizations", "secretsmanager", "ssm", "kms", "rds", "ecs", "ecr", "eks", "route53", "events", "stepfunctions",
    "kinesis", "firehose", "athena", "glue", "redshift", "redshift-data", "emr", "sagemaker", "sagemaker-runtime",
    "bedrock", "bedrock-runtime", "ses", "sesv2", "apigateway", "apigatewayv2", "cloudfront", "acm", "autoscaling",
    "elbv2", "elasticache", "opensearch", "cognito-idp", "batch", "codebuild", "codepipeline", "config", "guardduty",
    "securityhub", "sso-admin", "identitystore", "account", "ce", "budgets", "backup", "efs", "wafv2", "xray",
)  # fmt: skip
"""Services that many programs use: a type checker tries one overload after the other, for each call."""


class ServiceTypes(NamedTuple):
    """The names that stubs have for a service.

    Args:
        service_name: As boto3's `client` takes it.
        client: The class of its client.
        resource: The class of its resource; None: it has none.
        family: Which of `FAMILIES` they come from; None: whichever is installed.
    """

    service_name: str
    client: str
    resource: str | None = None
    family: str | None = None

    @property
    def module(self) -> str:
        """What the name of its package ends with."""
        return self.service_name.replace("-", "_").replace(".", "_")

    @property
    def parts(self) -> tuple[tuple[Part, str], ...]:
        """Each module of its package that is needed, with the class."""
        client: tuple[Part, str] = ("client", self.client)
        return (client,) if self.resource is None else (client, ("service_resource", self.resource))


def installed_services(path: Sequence[str] | None = None) -> list[ServiceTypes]:
    """The services of the installed boto3 whose stubs are installed, by name.

    Args:
        path: The folders to look in; None: where Python looks for modules.
    """
    session = boto3.Session(botocore_session=botocore.session.Session(session_vars=_NO_FILES))
    resources = set(session.get_available_resources())
    found = []
    for name in sorted(session.get_available_services()):
        for family in FAMILIES:
            spec = PathFinder.find_spec(f"{family}_{ServiceTypes(name, '').module}", path)
            if spec is not None and spec.submodule_search_locations:
                folder = Path(next(iter(spec.submodule_search_locations)))
                client = _class_of(folder / "client.pyi", "Client")
                resource = _class_of(folder / "service_resource.pyi", "ServiceResource") if name in resources else None
                if client is not None:
                    found.append(ServiceTypes(name, client, resource, family))
                    break
    return found


def _class_of(stub: Path, ending: str) -> str | None:
    if not stub.is_file():
        return None
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names: Iterable[str] = ast.literal_eval(value)
                return next((name for name in names if name.endswith(ending)), None)
            case _:
                pass
    return None


_HEAD = "# Written by `python -m xsession.typing`."

_ANYTHING = """\
# In a module without a package, `import *` brings nothing, so that each name comes from the stubs that are installed.
# Else it is Any: mypy makes it so by itself, and keeps the first of two; pyright would say Unknown, and keeps the last.
MYPY = False
if not MYPY:
"""

_CLIENTS = """\
from typing import Any, Literal, TypedDict, Unpack, overload

import boto3
from botocore.config import Config

from xsession._service_types import (
{names})
from xsession.accounts import AccountRef

class ClientOptions(TypedDict, total=False):
    api_version: str | None
    use_ssl: bool | None
    verify: bool | str | None
    endpoint_url: str | None

"""

_OPTIONS = (
    "region_name: str | None = ..., api_version: str | None = ..., use_ssl: bool | None = ..., "
    "verify: bool | str | None = ..., endpoint_url: str | None = ..., *, config: Config | None = ..."
)
_SHARED = "*, region_name: str | None = ..., config: Config | None = ..., **client_kwargs: Unpack[ClientOptions]"


def render_names(services: Iterable[ServiceTypes], head: str) -> str:
    """The stub `_service_types`: each class of the services by its name, or Any.

    Args:
        services: Which.
        head: Comments to begin with.
    """
    parts = [(service, part, name) for service in services for part, name in service.parts]
    lines = [head]
    if any(service.family is None for service, _, _ in parts):
        lines.append(_ANYTHING.rstrip())
        lines += [f"    from typing import Any as {name}" for service, _, name in parts if service.family is None]
    for family in FAMILIES:
        for service, part, name in parts:
            if service.family is None:
                lines.append(f"from {family}_{service.module}.{part} import *")
            elif service.family == family:
                lines.append(f"from {family}_{service.module}.{part} import {name} as {name}")
    return "\n".join(lines) + "\n"


def render_clients(services: Iterable[ServiceTypes], head: str) -> str:
    """The stub `_service_clients`: `get_client`, `client` and `resource` with an overload for each service.

    Args:
        services: Which.
        head: Comments to begin with.
    """
    place = {name: number for number, name in enumerate(COMMON)}
    services = sorted(services, key=lambda service: place.get(service.service_name, len(place)))
    clients = [(service.service_name, service.client) for service in services]
    resources = [(service.service_name, service.resource) for service in services if service.resource]
    names = sorted({name for _, name in (*clients, *resources)})
    imported = "".join(f"    {name},\n" for name in names)
    shared = "A client of the account that all who ask for the same one share."
    return "\n".join(
        (
            head,
            _CLIENTS.format(names=imported),
            "class CrossAccountClients:",
            _method("get_client", f"account: AccountRef, {_SHARED}", clients, shared),
            "class AccountClients(boto3.Session):",
            _method("get_client", _SHARED, clients, shared),
            _method("client", _OPTIONS, clients, "A new client of the account."),
            _method("resource", _OPTIONS, resources, "A new resource of the account."),
        )
    )


def _method(name: str, parameters: str, types: Iterable[tuple[str, str]], doc: str) -> str:
    made = [*((f'Literal["{service}"]', made) for service, made in types), ("str", "Any")]
    # Editors show the docstring of one overload with all of them.
    bodies = [f'\n        """{doc}"""', *[" ..."] * (len(made) - 1)]
    return "".join(
        f"    @overload\n    def {name}(self, service_name: {service}, {parameters}) -> {cls}:{body}\n"
        for (service, cls), body in zip(made, bodies, strict=True)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the stubs, into a folder that the type checker is told of.

    Args:
        arguments: Of the command line; None: this program's.
    """
    parser = argparse.ArgumentParser(prog="python -m xsession.typing", description="what type checkers know of clients")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("typings"), help="where; typings is pyright's own")
    folder: Path = parser.parse_args(arguments).folder / "xsession"
    services = installed_services()
    if not services:
        print("no stubs are installed: pip install 'types-boto3[s3]', or boto3-stubs", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_service_types.pyi").write_text(render_names(services, _HEAD), encoding="utf-8")
    (folder / "_service_clients.pyi").write_text(render_clients(services, _HEAD), encoding="utf-8")
    print(f"{folder}: {', '.join(service.service_name for service in services)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
