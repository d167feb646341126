"""What the tools that read templates say of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.provision.test_export import FULL, PLAIN
from xsession import RoleSpec

pytestmark = pytest.mark.templates

CFN_LINT = Path(__file__).parents[2] / ".venvs" / "templates" / "bin" / "cfn-lint"
TERRAFORM = shutil.which("terraform")


def linted(path: Path, text: str) -> str:
    """What cfn-lint finds wrong."""
    if not CFN_LINT.exists():
        pytest.skip("cfn-lint is not installed: run make test-templates")
    path.write_text(text)
    return subprocess.run([CFN_LINT, "--format", "parseable", path], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("spec", [FULL, PLAIN])
def test_cloudformation_takes_the_templates(tmp_path: Path, spec: RoleSpec) -> None:
    """The role's, and that of a stack set, whose body is the role's."""
    assert linted(tmp_path / "role.json", spec.to_cloudformation()) == ""
    text = spec.to_stack_set(["ou-ab12-11111111"], exclude=["333333333333"], delegated_admin=True)
    assert linted(tmp_path / "stack-set.json", text) == ""
    (resource,) = json.loads(text)["Resources"].values()
    assert resource["Properties"]["TemplateBody"] == spec.to_cloudformation()


def test_the_judge_finds_what_is_wrong(tmp_path: Path) -> None:
    """Else it would say nothing of ours either."""
    wrong = FULL.to_stack_set(["ou-ab12-11111111"]).replace("SERVICE_MANAGED", "SOMEHOW")
    assert "SOMEHOW" in linted(tmp_path / "wrong.json", wrong)


def without_provider(value: Any) -> Any:
    """A configuration whose resources are Terraform's own: AWS's are known to a provider that must be fetched."""
    content = json.loads(value)
    content.pop("terraform")
    content.pop("provider", None)
    for module in content.get("module", {}).values():
        module.pop("providers")
    resources = content.get("resource", {})
    made = {f"{kind}_{name}": {"input": each} for kind, named in resources.items() for name, each in named.items()}
    text = json.dumps({**content, **({"resource": {"terraform_data": made}} if made else {})})
    for kind, named in resources.items():
        for name in named:
            text = text.replace(f"{kind}.{name}.", f"terraform_data.{kind}_{name}.input.")
    return text.replace(".input.arn", ".input.path")


@pytest.mark.skipif(TERRAFORM is None, reason="Terraform is not on this machine")
@pytest.mark.parametrize("spec", [FULL, PLAIN])
def test_terraform_takes_the_module(tmp_path: Path, spec: RoleSpec) -> None:
    """Its expressions, references, modules and outputs, though not the arguments of AWS's resources."""
    for path, text in spec.to_terraform_module({"vegeta": "222222222222", "4": "333333333333"}).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(without_provider(text))
    for command in (["init", "-backend=false"], ["validate", "-json"]):
        done = subprocess.run([str(TERRAFORM), *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
