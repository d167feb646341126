from __future__ import annotations

import re
import typing
from importlib.metadata import files
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader

from tools.service_types import CLIENTS, NAMES, head, known_to_botocore, newer, recorded, write
from xsession import AccountSession, CrossAccountSession, get_client
from xsession.typing import COMMON, ServiceTypes, installed_services, main, render_clients, render_names

pytest.importorskip("types_boto3_s3", reason="types-boto3 is not installed")
STUBS = Path(str(next(f.locate() for f in files("types-boto3") or () if f.name == "session.pyi")))
INSTALLED = ["cloudtrail", "dynamodb", "ec2", "iam", "organizations", "s3", "sts"]


def known_to_stubs() -> dict[str, str]:
    """The class of each service's client, as types-boto3 has it."""
    pattern = r'def client\(\s+self,\s+service_name: Literal\["([^"]+)"\].*?\) -> (\w+):'
    return dict(re.findall(pattern, STUBS.read_text(encoding="utf-8"), re.DOTALL))


def test_the_files_are_as_the_tool_writes_them(tmp_path: Path) -> None:
    """Nobody edits them by hand; `recorded` refuses those that were."""
    version, services = recorded()
    write(tmp_path, version, services)
    assert (tmp_path / NAMES.name).read_bytes() == NAMES.read_bytes()
    assert (tmp_path / CLIENTS.name).read_bytes() == CLIENTS.read_bytes()


def test_an_edited_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    edited = tmp_path / CLIENTS.name
    edited.write_text(CLIENTS.read_text(encoding="utf-8").replace("-> S3Client", "-> SQSClient", 1), encoding="utf-8")
    monkeypatch.setattr("tools.service_types.CLIENTS", edited)
    with pytest.raises(ValueError, match="are not as this tool writes them"):
        recorded()


def test_they_are_complete_for_the_botocore_that_they_record() -> None:
    """A service of a newer one is any string's; `make newer-services` reports it."""
    version, services = recorded()
    if version != botocore.__version__:
        pytest.skip(f"for botocore {version}, installed is {botocore.__version__}")
    assert [service.service_name for service in services] == Loader().list_available_services("service-2")
    assert newer() == []


def test_common_services_come_first() -> None:
    """In each method: what a checker tries for a call of the last one would be four hundred overloads."""
    version, services = recorded()
    assert sorted(COMMON) == sorted({service.service_name for service in services}.intersection(COMMON))
    text = render_clients(services, head(version))
    for method, count in {"get_client": 2, "client": 1}.items():
        listed = re.findall(rf'def {method}\(self, service_name: Literal\["([^"]+)"\]', text)
        assert len(listed) == count * len(services)
        assert tuple(listed[: len(COMMON)]) == COMMON


@pytest.mark.slow
def test_they_have_the_names_of_botocores_models() -> None:
    """The whole of what the tool writes, read from the models again: some seconds."""
    version, services = recorded()
    if version != botocore.__version__:
        pytest.skip(f"for botocore {version}, installed is {botocore.__version__}")
    assert services == known_to_botocore()


def test_a_newer_service_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that lack some name them."""
    version, services = recorded()
    write(tmp_path, version, [service for service in services if service.service_name not in {"s3", "sts"}])
    monkeypatch.setattr("tools.service_types.CLIENTS", tmp_path / CLIENTS.name)
    monkeypatch.setattr("tools.service_types.NAMES", tmp_path / NAMES.name)
    assert {"s3", "sts"} <= set(newer())


def test_classes_are_named_as_in_the_stubs() -> None:
    """Each service that stubs know has the class there that we name, by the stubs' own list."""
    stubs = known_to_stubs()
    ours = {service.service_name: service.client for service in recorded()[1]}
    both = stubs.keys() & ours.keys()
    assert len(both) > 400
    assert {name: ours[name] for name in both} == {name: stubs[name] for name in both}


def test_installed_stubs_are_found() -> None:
    """With the names of their classes, whichever services they are of."""
    found = installed_services()
    assert [service.service_name for service in found] == INSTALLED
    assert ServiceTypes("s3", "S3Client", "S3ServiceResource", "types_boto3") in found
    assert ServiceTypes("sts", "STSClient", None, "types_boto3") in found


def test_no_profile_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one of the environment that does not exist here, nor files that can be read."""
    (tmp_path / "config").write_text("[profile\n")
    monkeypatch.setenv("AWS_PROFILE", "of-another-machine")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert [service.service_name for service in installed_services()] == INSTALLED


def test_stubs_of_boto3_stubs_are_found(tmp_path: Path) -> None:
    """A service whose stubs can't be read has no type of its own."""
    for name, text in {"s3": '__all__ = ("S3Client",)\n', "sqs": "x = 1\n", "sns": ""}.items():
        package = tmp_path / f"mypy_boto3_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        if text:
            (package / "client.pyi").write_text(text)
    assert installed_services([str(tmp_path)]) == [ServiceTypes("s3", "S3Client", None, "mypy_boto3")]


def test_the_command_writes_stubs_for_what_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their own names, and nothing about what is not there."""
    assert main([str(tmp_path / "typings")]) == 0
    folder = tmp_path / "typings" / "xsession"
    assert capsys.readouterr().out == f"{folder}: {', '.join(INSTALLED)}\n"
    names = (folder / NAMES.name).read_text()
    assert "from types_boto3_s3.client import S3Client as S3Client\n" in names
    assert "import *" not in names
    assert 'Literal["sqs"]' not in (folder / CLIENTS.name).read_text()


def test_the_command_without_stubs_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    monkeypatch.setattr("xsession.typing.installed_services", list)
    assert main([str(tmp_path / "typings")]) == 1
    assert "pip install 'types-boto3[s3]'" in capsys.readouterr().err
    assert not (tmp_path / "typings").exists()


def test_the_stubs_are_python() -> None:
    """Whatever the services."""
    odd = [ServiceTypes("runtime.lex", "LexClient"), ServiceTypes("s3", "S3Client", "S3ServiceResource", "mypy_boto3")]
    for text in (render_names(odd, head("1")), render_clients(odd, head("1"))):
        compile(text, "stub", "exec")
    assert "from types_boto3_runtime_lex.client import *" in render_names(odd, head("1"))


@pytest.mark.parametrize("method", [CrossAccountSession.get_client, AccountSession.get_client, get_client])
def test_hints_can_be_read_while_the_program_runs(method: typing.Any) -> None:
    """By frameworks that look at signatures; no stub is imported for it."""
    hints = typing.get_type_hints(method)
    assert hints["service_name"] is str
    assert hints["return"] is typing.Any


def test_stubs_are_for_type_checkers_alone() -> None:
    """There is no such module when a program runs."""
    assert not NAMES.with_suffix(".py").exists()
    assert not CLIENTS.with_suffix(".py").exists()
    assert {base.__module__.rpartition(".")[2] for base in CrossAccountSession.__mro__} == {
        "builtins",
        "session",
        "_tabular",
    }
