"""Each extra alone: the wheel with that extra in an environment of its own, used, and weighed.

`make footprint` writes what they weigh into the documentation; `make test-all` checks them on each Python found.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tools.project import PYPROJECT, ROOT
from xsession.testing import LocalAWS

PAGE = ROOT / "docs" / "reference" / "footprint.md"
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
NOTHING = "nothing"
# What an extra is for, and the page about it. An extra that is not here is for work on xsession itself.
PURPOSES = {
    "cli": "[the command line](../how-to/command-line.md)",
    "store": "[credentials on the disk](../how-to/store.md)",
    "testing": "[tests without AWS](../how-to/testing.md)",
    "notebook": "[bars and graphs in notebooks](../how-to/notebooks.md)",
    "otel": "[OpenTelemetry](../how-to/opentelemetry.md)",
    "types": "[types of clients](../how-to/clients.md) for type checkers",
    "aio": "[asyncio](../how-to/async.md)",
    "ray": "[Ray's workers](../how-to/many-accounts.md)",
    "s3fs": "[s3fs](../how-to/data.md)",
    "pandas": "[pandas](../how-to/data.md#pandas)",
    "polars": "[polars](../how-to/data.md)",
    "obstore": "[obstore](../how-to/data.md)",
    "pyarrow": "[PyArrow](../how-to/data.md)",
    "duckdb": "[DuckDB](../how-to/data.md#duckdb)",
    "deltalake": "[deltalake](../how-to/data.md)",
    "pyiceberg": "[PyIceberg](../how-to/data.md#pyiceberg)",
    "data": "[all of the data libraries](../how-to/data.md)",
}
# Modules by the name of their package, where the two differ; None: type checkers read it, no program does.
_MODULES = {
    "opentelemetry-api": "opentelemetry.trace",
    "flask-cors": "flask_cors",
    "types-boto3": None,
    "aiobotocore": "aiobotocore.session",
}
_TABLE = re.compile(r"(?<=<!-- footprint -->\n).*(?=<!-- /footprint -->)", re.DOTALL)
_RUNS = 3
# It chooses the releases that pip would, with a fifteenth of pip's work: there are twenty environments for each Python.
_UV = (sys.executable, "-m", "uv")
# In the environment: bytes of each package, without what Python compiles.
_WEIGH = """
import importlib.metadata as metadata, json, platform
def size(package):
    files = [file.locate() for file in package.files or () if not str(file).endswith(".pyc")]
    return sum(file.stat().st_size for file in files if file.is_file())
packages = {package.name: size(package) for package in metadata.distributions()}
print(json.dumps([packages, metadata.version("botocore"), platform.python_version()]))
"""


class Footprint(NamedTuple):
    """What an extra brings.

    Args:
        packages: Their names, each with its bytes.
        botocore: The release that was chosen.
        python: On which Python.
        import_seconds: Of a CPU, to import the packages that the extra asks for; None: no program imports them.
    """

    packages: Mapping[str, int]
    botocore: str
    python: str
    import_seconds: float | None


def requirements(extra: str) -> list[str]:
    """The packages that an extra asks for by name, those of the extras within it included."""
    found: list[str] = []
    for line in EXTRAS[extra]:
        name, within = re.match(r"([\w-]+)(?:\[([\w,-]+)\])?", line).groups()  # type: ignore[union-attr]  # pip reads them too
        found += [one for inner in within.split(",") for one in requirements(inner)] if name == "xsession" else [name]
    return list(dict.fromkeys(found))


def build(folder: Path) -> Path:
    """The wheel."""
    subprocess.run([*_UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("xsession-*.whl")
    return wheel


def make(folder: Path, base: str, wheel: Path, extra: str) -> Path:
    """An environment of a Python, with the wheel and one extra; returns its own Python."""
    subprocess.run([*_UV, "venv", "--quiet", "--python", base, folder], check=True)
    python = folder / "bin" / "python"
    wanted = str(wheel) if extra == NOTHING else f"{wheel}[{extra}]"
    subprocess.run([*_UV, "pip", "install", "--quiet", "--python", python, wanted], check=True)
    subprocess.run([*_UV, "pip", "check", "--quiet", "--python", python], check=True)
    return python


def use(python: Path, extra: str, environ: Mapping[str, str], folder: Path) -> None:
    """Does something with an extra, where nothing of the checkout can be imported.

    Raises:
        subprocess.CalledProcessError: It does not work.
    """
    subprocess.run([python, "-I", ROOT / "tools" / "extra_uses.py", extra], cwd=folder, env=environ, check=True)


def import_seconds(python: Path, modules: Iterable[str]) -> float:
    """The median of what a new process takes of a CPU to import modules, after a first time."""
    code = (
        f"import time; started = time.process_time(); import {', '.join(modules)}; print(time.process_time() - started)"
    )
    command = [str(python), "-W", "ignore", "-Ic", code]
    took = [float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(_RUNS + 1)]
    return statistics.median(took[1:])


def weigh(python: Path, extra: str) -> Footprint:
    """What is in an environment."""
    said = subprocess.run([python, "-Ic", _WEIGH], capture_output=True, text=True, check=True).stdout
    packages, botocore, version = json.loads(said)
    asked = ["xsession", "boto3"] if extra == NOTHING else requirements(extra)
    modules = [module for name in asked if (module := _MODULES.get(name, name))]
    return Footprint(packages, botocore, version, import_seconds(python, modules) if modules else None)


def environment(aws: LocalAWS, folder: Path) -> dict[str, str]:
    """The environment of `tools/extra_uses.py`: Batman's profile, and Vegeta's role and bucket."""
    batman, vegeta = aws.account("111111111111"), aws.account("222222222222")
    column = {"name": "level", "type": "long", "nullable": True, "metadata": {}}
    table = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "levels",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": [column]}),
                "partitionColumns": [],
                "configuration": {},
            }
        },
    ]
    log = "\n".join(map(json.dumps, table)).encode()
    vegeta.bucket("levels", {"scouter.csv": b"name,level\ngoku,9001\n", f"table/_delta_log/{0:020}.json": log})
    key = batman.user("bruce")
    aws.write_profiles(
        f"[profile batman]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
    )
    return {
        **aws.environ(),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LOGNAME": "bruce",
        "AWS_PROFILE": "batman",
        "VEGETA_ROLE": vegeta.role("Reader", trusts="111111111111"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


def measure(extras: Iterable[str], base: str) -> dict[str, Footprint]:
    """Installs, uses and weighs extras, each alone; says which work.

    Args:
        extras: Their names.
        base: The Python for their environments.

    Returns:
        Those that work.
    """
    measured = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        wheel = build(folder)
        for extra in extras:
            own = folder / extra
            own.mkdir()
            try:
                python = make(own / "venv", base, wheel, extra)
                with LocalAWS() as aws:
                    use(python, extra, environment(aws, own), own)
                measured[extra] = weigh(python, extra)
            except subprocess.CalledProcessError as error:
                print(f"{extra}: FAILED: {error}", flush=True)
            else:
                print(f"{extra}: works on Python {measured[extra].python}", flush=True)
    return measured


def table(measured: Mapping[str, Footprint]) -> str:
    """The table of the page: what an extra adds to an installation without any."""
    plain = measured[NOTHING]
    rows = [
        "| extra | for | it asks for | packages | MB | import, ms | botocore |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for extra, footprint in measured.items():
        added = footprint.packages if extra == NOTHING else footprint.packages.keys() - plain.packages.keys()
        size = sum(footprint.packages.values()) - (0 if extra == NOTHING else sum(plain.packages.values()))
        cells = [
            "none" if extra == NOTHING else f"`{extra}`",
            PURPOSES.get(extra, "clients, chains and refreshes"),
            ", ".join(["boto3", "botocore", "cachetools"] if extra == NOTHING else requirements(extra)),
            str(len(added)),
            f"{size / 1e6:.1f}",
            "" if footprint.import_seconds is None else f"{footprint.import_seconds * 1e3:.0f}",
            footprint.botocore,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    today = datetime.now(UTC)
    machine = f"{platform.system()} on {platform.machine()}"
    return "\n".join([*rows, "", f"{today.day} {today:%B %Y}: Python {plain.python}, {machine}.\n"])


def main() -> int:
    """Checks extras; 0 if all work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", default=[NOTHING, *PURPOSES], help="default: all, and none")
    parser.add_argument("--python", default=sys.executable, help="for the environments; default: this one")
    parser.add_argument("--write", action="store_true", help="put the table into the documentation")
    options = parser.parse_args()
    measured = measure(options.extras, options.python)
    if len(measured) < len(options.extras):
        return 1
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_TABLE.sub(lambda _found: table(measured), text), encoding="utf-8")
        print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
