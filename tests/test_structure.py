from __future__ import annotations

import ast
import functools
import importlib
import pickle
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import run_python
from tools.project import EDGES, LAYERS, ROOT, WITHOUT_BOTO3, sources
from tools.structure import Structure
from xsession import (
    SOURCE,
    Account,
    Accounts,
    AssumeRoleError,
    CrossAccountSession,
    Defaults,
    RefreshPolicy,
    Role,
    RoleChain,
    RoleSpec,
    Status,
    XSessionError,
)
from xsession._base.lazy import lazy_modules
from xsession.events import Event
from xsession.policies import findings, s3_read, trust

HERE = Structure()
FACES = sorted(HERE.packages)
LAYERED = {room for layer in LAYERS for room in layer}

# Where boto3 and botocore may be imported at run time: everywhere else, clients come as arguments.
BOTO3_USERS = {"account_session", "session", "_botocore", "_session_options", *EDGES}
BOTOCORE_USERS = {
    "account_session": "botocore.credentials",
    "_botocore": "botocore",
    "cli": "botocore.exceptions",
    "_sts": "botocore.exceptions",
    "_iam": "botocore.exceptions",
    "_organizations": "botocore.exceptions",
    "testing": "botocore.session",
    "typing": "botocore.session",
}
PUBLIC_BOTOCORE_TYPES = {"botocore.config"}

# What edges use of the insides: values, clocks to stand in for, AWS's vocabulary.
# No signal handler waits for these in vain: a signal, a claim that nobody waits for, a turn that knows its holder.
PLAIN_LOCKS = {
    "xsession._base._locks",
    "xsession._botocore._copied_locks",
    "xsession._chain._mfa_prompt",
    "xsession.fanout._run",
    "xsession.refresh._flight",
    "xsession.refresh._workers",
}
OPEN_TO_EDGES = {"_aws", "_base"}

# Modules that no test is named after and that no test of their room imports: which one tests them all the same.
TESTED_BY = {
    "__main__": "cli/test_main.py",
    "_base.lazy": "test_structure.py",
    "_botocore._bearer_tokens": "botocore/test_core_settings.py",
    "_botocore._credentials_lookup": "botocore/test_instance_metadata.py",
    "_botocore._derived_settings": "botocore/test_core_settings.py",
    "_botocore._sts_endpoint": "accounts/test_source_descriptor.py",
    "_botocore._source_mfa": "chain/test_mfa.py",
    "_botocore._sso_login": "test_identity_center.py",
    "_botocore._source_errors": "botocore/test_source_session.py",
    "_botocore._signing": "botocore/test_rejections.py",
    "_botocore._template_copies": "botocore/test_core.py",
    "_session_owner": "test_worker_copies.py",
    "_chain._account_mfa": "chain/test_mfa.py",
    "_chain._assume_role": "chain/test_hop_fetch.py",
    "_chain._chains": "test_session.py",
    "_chain._mfa_session": "chain/test_mfa.py",
    "_chain._resolved_account": "test_session.py",
    "_chain._shared_devices": "chain/test_shared_refresh.py",
    "_chain._stored_chains": "chain/test_shared_refresh.py",
    "_chain._stored_mfa_role": "chain/test_shared_refresh.py",
    "_chain._stored_source": "chain/test_shared_refresh.py",
    "_chain._settings": "test_session.py",
    "_chain._source": "chain/test_sources.py",
    "_chain._source_code": "chain/test_mfa.py",
    "_chain._token_functions": "chain/test_web_identity.py",
    "_service_clients": "typing/test_service_types.py",
    "_service_types": "typing/test_service_types.py",
    "activity._query": "activity/test_search.py",
    "cli._after_dashes": "cli/test_exec.py",
    "cli._credential_process_help": "cli/test_credential_process.py",
    "cli._demo": "cli/test_story.py",
    "cli._error_words": "cli/test_app.py",
    "cli._parameters": "cli/test_accounts.py",
    "cli._streams": "cli/test_output.py",
    "diagnosis._possible_causes": "diagnosis/test_causes.py",
    "diagnosis._remedies": "diagnosis/test_walk.py",
    "diagnosis._trust_causes": "diagnosis/test_causes.py",
    "_base._own_file": "test_audit.py",
    "errors._signing": "test_errors.py",
    "fanout._calls": "fanout/test_run.py",
    "fanout._event_loop": "fanout/test_run.py",
    "fanout._run_session": "test_session_runs.py",
    "fanout._start": "test_session_runs.py",
    "fanout._threads": "fanout/test_run_attacks.py",
    "grants._granting": "grants/test_grant.py",
    "grants._live": "grants/test_revocation.py",
    "integrations._installed": "integrations/test_data.py",
    "grants._revoker": "grants/test_revocation.py",
    "integrations._ray": "executors/test_ray.py",
    "policies._permissions": "policies/test_ready_made.py",
    "policies._statement_values": "policies/test_document.py",
    "refresh._reports": "refresh/test_clock_steps.py",
    "roles._durations": "roles/test_role_rules.py",
    "roles._tags": "roles/test_role_rules.py",
    "stores._store": "stores/test_file.py",
    "testing._cloudtrail._events": "testing/cloudtrail/test_trail.py",
    "testing._http._message_rules": "testing/http/test_strict_handler.py",
    "testing._http._http_response": "testing/test_server.py",
    "testing._http._parameters": "testing/http/test_api_request.py",
    "testing._http._wsgi": "testing/test_server.py",
    "testing._iam._directory": "testing/iam/test_authorization.py",
    "testing._sts._responses": "testing/sts/test_local_sts.py",
}


def may_import_boto(room: str, imported: str) -> bool:
    """Whether a room may import this part of boto3 or botocore at run time."""
    if room in WITHOUT_BOTO3:
        # Code that handles boto3's errors handles ours: they inherit from one of botocore's.
        return (room, imported) == ("errors", "botocore.exceptions")
    if imported.partition(".")[0] == "boto3":
        return room in BOTO3_USERS
    allowed = PUBLIC_BOTOCORE_TYPES | ({BOTOCORE_USERS[room]} if room in BOTOCORE_USERS else set())
    return any(imported == name or imported.startswith(f"{name}.") for name in allowed)


def face(package: str) -> Any:
    """A package, imported."""
    return importlib.import_module(package)


def lazily_imported(package: str) -> dict[str, tuple[str, ...]]:
    """The names that a face hands to `lazy`, by module."""
    for node in ast.walk(ast.parse(HERE.modules[package].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy":
            names: dict[str, tuple[str, ...]] = ast.literal_eval(node.args[1])
            return names
    pytest.fail(f"{package} has no lazy face")


def told_to_type_checkers(package: str) -> dict[str, dict[str, str | None]]:
    """The names that a face imports for type checkers, by module, each with the name that it is given."""
    (block,) = [node for node in ast.parse(HERE.modules[package].read_text()).body if isinstance(node, ast.If)]
    told: dict[str, dict[str, str | None]] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        told.setdefault(str(node.module), {}).update({alias.name: alias.asname for alias in node.names})
    return told


def files_beside(module: str) -> list[Path]:
    """The test files in the folder of a module's room, or beside it those of a module that stands alone."""
    name = HERE.room(module).removeprefix("_")
    folder = ROOT / "tests" / name
    return sorted(folder.rglob("test_*.py") if folder.is_dir() else folder.parent.glob(f"test_{name}*.py"))


@functools.cache
def text_of(path: Path) -> str:
    """A file's text, which many rules look at."""
    return path.read_text(encoding="utf-8")


def is_tested_in_its_place(module: str) -> bool:
    """Whether a test file of its room has a module's name, alone or with a behaviour behind it, or imports it."""
    package, _, name = module.rpartition(".")
    imported = re.compile(rf"\b{re.escape(module)}\b|^from {re.escape(package)} import {name}\b", re.MULTILINE)
    return any(
        f"{path.stem}_".startswith(f"test_{name.removeprefix('_')}_") or imported.search(text_of(path))
        for path in files_beside(module)
    )


def copy_of_the_package(folder: Path) -> Path:
    """A checkout to break."""
    shutil.copytree(ROOT / "xsession", folder / "xsession", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def past_a_face(structure: Structure) -> list[str]:
    """Imports of a module of another package, as lines to print."""
    return [
        f"{item.importer}:{item.line} imports {structure.target(item)}"
        for item in structure.own_imports()
        if (package := structure.package(structure.target(item))) != structure.package(item.importer)
        if structure.target(item) not in {package, "xsession._base.lazy"} and package != "xsession"
    ]


def test_a_module_for_annotations_is_imported_when_it_is_asked() -> None:
    """By whoever reads them."""
    (module,) = lazy_modules("events")
    assert module.Event is Event


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """The walk that the rules below rest on sees relative and late imports, and knows those for type checkers."""
    source = """
import os.path
from typing import TYPE_CHECKING
from ._policy import RefreshPolicy
if TYPE_CHECKING:
    import boto3
else:
    import json
def late():
    from ..session import CrossAccountSession
"""
    root = copy_of_the_package(tmp_path)
    (root / "xsession" / "refresh" / "_new.py").write_text(source)
    found = Structure(root).imports("xsession.refresh._new")
    assert [(item.module, item.name, item.only_types) for item in found] == [
        ("os.path", None, False),
        ("typing", "TYPE_CHECKING", False),
        ("xsession.refresh._policy", "RefreshPolicy", False),
        ("boto3", None, True),
        ("json", None, False),
        ("xsession.session", "CrossAccountSession", False),
    ]


def test_a_circle_and_an_upward_import_are_found(tmp_path: Path) -> None:
    """Through lazy faces, inside of functions and for type checkers alone: the rules below can fail."""
    root = copy_of_the_package(tmp_path)
    module = root / "xsession" / "roles" / "_tags.py"
    late = "def late():\n    from xsession.refresh import Cell\n"
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xsession.audit import AuditLog\n"
    module.write_text(f"{module.read_text()}\n{late}{types}")
    audit = root / "xsession" / "audit.py"
    audit.write_text(f"{audit.read_text()}\nfrom xsession.roles import Role\n")
    structure = Structure(root)
    assert [line.partition(" ")[2] for line in structure.upward()] == ["imports xsession.refresh"]
    assert {"audit", "roles"} in [set(ring) for ring in structure.circles()]


def test_a_circle_inside_of_a_package_is_found(tmp_path: Path) -> None:
    """Its packages and modules are rooms as well."""
    root = copy_of_the_package(tmp_path)
    module = root / "xsession" / "testing" / "_iam" / "_trust.py"
    module.write_text(f"{module.read_text()}\ndef late():\n    from xsession.testing._sts import LocalSTS\n")
    assert {"_iam", "_sts"} in [set(ring) for ring in Structure(root, "xsession.testing").circles()]
    assert Structure(root).circles() == []


def test_a_way_past_a_face_is_found(tmp_path: Path) -> None:
    """Also of a package inside of the importer's own."""
    root = copy_of_the_package(tmp_path)
    module = root / "xsession" / "testing" / "_story.py"
    module.write_text(f"{module.read_text()}\nfrom ._iam._trust import Principal\n")
    assert [line.partition(" ")[2] for line in past_a_face(Structure(root))] == ["imports xsession.testing._iam._trust"]


def test_every_room_has_a_layer() -> None:
    """A new room says where it belongs, in the table [tool.architecture] of pyproject.toml."""
    assert HERE.rooms - LAYERED - set(EDGES) == set()
    assert (LAYERED - HERE.rooms) == set()


def test_imports_point_downward() -> None:
    """No room imports from a layer above its own, not even for type checkers."""
    assert HERE.upward() == []


@pytest.mark.parametrize("house", sorted(HERE.houses))
def test_rooms_make_no_circle(house: str) -> None:
    """Each room can be understood, and imported, before those that use it; also within a layer, and in a package."""
    assert Structure(house=house).circles() == []


def test_edges_use_what_users_use() -> None:
    """The command line, the fixtures for tests and the integrations live by the public names."""
    wrong = [
        f"{item.importer}:{item.line} imports {item.name} from {item.module}"
        for item in HERE.own_imports()
        if HERE.room(item.importer) in EDGES and HERE.room(item.module) not in {*OPEN_TO_EDGES, *EDGES}
        if item.name and item.name not in getattr(face(item.module), "__all__", vars(face(item.module)))
    ]
    assert wrong == []


def test_other_packages_are_entered_by_their_face() -> None:
    """Modules may be moved, split and renamed inside of their package, and no other package notices."""
    assert past_a_face(HERE) == []


def test_modules_inside_of_packages_are_underscored() -> None:
    """What has no underscore is for all, and only faces and modules that stand alone are."""
    inside = {module.rpartition(".")[2] for module in HERE.modules if HERE.package(module) not in {"xsession", module}}
    assert {name for name in inside if not name.startswith("_")} == {"lazy"}


@pytest.mark.parametrize("package", FACES)
def test_a_face_says_the_same_three_times(package: str) -> None:
    """What `__all__` names, what type checkers are told of and what programs get are one; helpers are marked."""
    told, imported = told_to_type_checkers(package), lazily_imported(package)
    names = set(face(package).__all__)
    assert {module: tuple(sorted(chosen)) for module, chosen in told.items()} == {
        module: tuple(sorted(chosen)) for module, chosen in imported.items()
    }
    # "as" is how a name that is in no `__all__` is handed on to the other packages of this one.
    for name, given in ((name, given) for chosen in told.values() for name, given in chosen.items()):
        assert given == (None if name in names else name), name
    assert names <= {name for chosen in imported.values() for name in chosen}
    for name in (name for chosen in imported.values() for name in chosen):
        assert getattr(face(package), name) is not None


@pytest.mark.parametrize("package", FACES)
def test_all_is_sorted(package: str) -> None:
    """Constants, then classes, then functions, each by name: the order that ruff keeps too."""
    names: list[str] = face(package).__all__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_what_a_face_hands_on_is_used() -> None:
    """A name that is not public is in a face because another package needs it."""
    used = {(item.module, item.name) for item in HERE.own_imports()}
    unused = [
        f"{package}.{name}"
        for package in FACES
        for chosen in lazily_imported(package).values()
        for name in chosen
        if name not in face(package).__all__ and (package, name) not in used
    ]
    assert unused == ["xsession.load_ipython_extension"]  # which IPython asks for


def test_what_is_imported_from_a_face_is_there() -> None:
    """Type checkers take whatever a module with a `__getattr__` is asked for; programs would fail when they run."""
    missing = [
        f"{item.importer}:{item.line} imports {item.name} from {item.module}"
        for item in HERE.own_imports()
        if item.module in FACES and HERE.target(item) == item.module and item.name is not None
        if item.name not in {name for chosen in lazily_imported(item.module).values() for name in chosen}
    ]
    assert missing == []


PUBLIC_MODULES = sorted(
    module
    for module in HERE.modules.keys() - HERE.packages
    if HERE.package(module) == "xsession" and not HERE.room(module).startswith("_") and HERE.room(module) not in EDGES
)


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_a_module_that_stands_alone_says_what_is_public(module: str) -> None:
    """As faces do; what it imports, and its helpers for other modules, are not."""
    names: list[str] = face(module).__all__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    defined = {name: value for name, value in vars(face(module)).items() if getattr(value, "__module__", "") == module}
    assert {name for name in names if name not in defined and isinstance(getattr(face(module), name), type)} == set()
    kinds = XSessionError, Event
    assert {name for name, value in defined.items() if isinstance(value, type) and issubclass(value, kinds)} <= {*names}


@pytest.mark.parametrize("package", FACES)
def test_a_face_lists_its_names(package: str) -> None:
    """Before they are imported, for completion in a shell and in notebooks."""
    assert set(face(package).__all__) <= set(dir(face(package)))


def test_a_face_lists_no_helpers() -> None:
    """Before and after they are used: completion shows what is public, and modules that were imported."""
    code = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    face = import_module(name)
    for one in [*face.__all__, "lazy"]:
        getattr(face, one)
    seen = {one for one in dir(face) if not one.startswith("__")}
    seen -= {one for one in seen if one[0] != "_" and isinstance(getattr(face, one), type(sys))}
    print(*(f"{name}.{one}" for one in seen.symmetric_difference(face.__all__)))
"""
    assert run_python(code, *FACES).split() == []


def test_modules_in_the_reference_are_attributes_of_the_package() -> None:
    """`import xsession` is enough to write `except xsession.errors.MfaError`; the two programs are imported by name."""
    documented = [
        name
        for page in (ROOT / "docs/reference").rglob("*.md")
        for name in re.findall(r"^::: (xsession\S*)", page.read_text(encoding="utf-8"), re.MULTILINE)
        if not name.startswith(("xsession.cli.", "xsession.typing."))
    ]
    code = """
import sys, operator, xsession
for name in sys.argv[1:]:
    operator.attrgetter(name)(xsession)
"""
    assert run_python(code, *(name.removeprefix("xsession.") for name in documented)) == ""


def test_names_that_a_face_has_not_are_refused() -> None:
    """In Python's own words, so that a mistyped import says what it looked for."""
    for package in FACES:
        with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
            _ = face(package).nothing


@pytest.mark.parametrize("package", FACES)
def test_public_classes_are_of_their_face(package: str) -> None:
    """Pickles, logs and tracebacks name the place that stays, whichever module the class lies in."""
    for name in face(package).__all__:
        value = getattr(face(package), name)
        if isinstance(value, type) and value.__module__.startswith("xsession"):
            home = value.__module__
            assert home == package or (package == "xsession" and "._" not in home), f"{home}.{name}"
            assert getattr(importlib.import_module(home), name) is value


ROLE = Role("arn:aws:iam::222222222222:role/R", tags={"team": "vegeta"}, policy=s3_read("vegeta-power-levels"))


@pytest.mark.parametrize(
    "value",
    [
        SOURCE,
        ROLE,
        RoleChain(ROLE.role_arn, ROLE),
        Account("vegeta", ROLE, tags={"env": "prod"}),
        Accounts({"vegeta": ROLE}),
        Defaults(tags={"team": "vegeta"}),
        RefreshPolicy(),
        Status([]),
        RoleSpec("R", trust=trust("arn:aws:iam::111111111111:role/Batman"), tags={"team": "vegeta"}),
        findings(s3_read("vegeta-power-levels")),
        CrossAccountSession({"vegeta": ROLE}),
        AssumeRoleError("refused", account="vegeta", hop=1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_pickle_names_faces(value: object) -> None:
    """It is read by the next version too, where a class may lie in another module of its package."""
    written = pickle.dumps(value)
    named = {name.decode() for name in re.findall(rb"xsession[.\w]*", written)}
    assert named <= HERE.packages | {name for name in HERE.modules if HERE.package(name) == "xsession"}
    assert type(pickle.loads(written)) is type(value)


def test_class_names_are_unique() -> None:
    """A name that stands for two things sends a reader to the wrong one."""
    counts = Counter(
        node.name
        for path in HERE.modules.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in counts.items() if count > 1] == []


def test_boto3_and_botocore_stay_where_they_belong() -> None:
    """botocore's inside is known to `_botocore` alone, and changes of botocore touch nothing else."""
    wrong = [
        f"{module}:{item.line} imports {item.module}"
        for module in HERE.modules
        for item in HERE.imports(module)
        if not item.only_types and item.module.partition(".")[0] in {"boto3", "botocore"}
        if not may_import_boto(HERE.room(module), item.module)
    ]
    assert wrong == []


def test_lower_layers_import_without_boto3() -> None:
    """Code with only roles, policies or credentials doesn't pay for boto3, and of botocore for its errors alone."""
    files = [path.relative_to(ROOT).with_suffix("") for room in WITHOUT_BOTO3 for path in sources(room)]
    modules = [re.sub(r"\.__init__$", "", ".".join(path.parts)) for path in files]
    code = """
import sys
from importlib import import_module
import botocore.exceptions
before = {name for name in sys.modules if name.startswith("botocore")}
sys.modules["boto3"] = None
for name in sys.argv[1:]:
    import_module(name)
    print(name)
print(*sorted({name for name in sys.modules if name.startswith("botocore")} - before))
"""
    assert run_python(code, *modules).split() == modules


def test_values_are_made_by_one_decorator() -> None:
    """`@frozen`: what `dataclass` itself makes costs every import, or is neither frozen nor slotted."""
    wrong = [
        f"{item.importer}:{item.line}"
        for module in HERE.modules
        for item in HERE.imports(module)
        if (item.module, item.name) == ("dataclasses", "dataclass") and module != "xsession._base._value"
    ]
    assert wrong == []


def test_locks_are_re_entrant() -> None:
    """A signal handler, or `__del__`, may come in while its own thread holds one."""
    plain = {
        module
        for module, path in HERE.modules.items()
        if re.search(r"\bthreading\.Lock\(", path.read_text(encoding="utf-8")) and ".testing." not in module
    }
    assert plain == PLAIN_LOCKS


def test_every_module_has_a_test_in_its_place() -> None:
    """Who changes a module finds its tests without a search; what is tested elsewhere is in the table above."""
    modules = HERE.modules.keys() - HERE.packages
    elsewhere = {f"xsession.{name}" for name in TESTED_BY}
    assert sorted(module for module in modules - elsewhere if not is_tested_in_its_place(module)) == []
    assert sorted(module for module in elsewhere if module not in modules or is_tested_in_its_place(module)) == []
    assert [name for name in TESTED_BY.values() if not (ROOT / "tests" / name).is_file()] == []
