"""How `common/` is built: rooms whose arrows point one way, and no backbone known by name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from common.network import registry

ROOT = Path(__file__).resolve().parents[1]
COMMON = ROOT / "common"
# Rooms by floor: one imports what is on floors below its own, and in its own room.
FLOORS = (
    {"errors"},
    {"files"},
    {"prefetch", "array_files", "origin"},
    {"photos"},
    {"network"},
    {"eigenbases"},
    {"grading"},
    {"transfer"},
    {"evaluation"},
    {"distillation"},
    {"pruning"},
    {"commands"},
)
# Where the packages of backbones may be named.
REGISTRY = COMMON / "network" / "registry.py"


def floor(room):
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def room_of(path):
    return path.relative_to(COMMON).parts[0].removesuffix(".py")


def imported_modules(path):
    """Modules that a file imports anywhere in it, functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules():
    return sorted(path for path in COMMON.rglob("*.py") if path != COMMON / "__init__.py")


def test_every_room_has_its_floor_and_says_what_it_is_for():
    rooms = {room_of(path) for path in modules()}
    assert rooms == set().union(*FLOORS)
    for init in COMMON.glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text())), init


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(COMMON)))
def test_no_module_imports_from_a_floor_above(path):
    for name in imported_modules(path):
        package, *below = name.split(".")
        if package == "common":
            assert below[0] == room_of(path) or floor(below[0]) < floor(room_of(path)), name


def test_common_imports_no_other_room_of_the_house():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"common"}
    assert {"adain", "vgg_backbone"} <= rooms
    for path in modules():
        assert not rooms & {name.split(".")[0] for name in imported_modules(path)}, path


def test_no_module_knows_a_backbone_by_name():
    packages = registry.PACKAGES.values()
    assert set(packages) == {path.parent.name for path in ROOT.glob("*_backbone/__init__.py")}
    naming = {path for path in modules() for package in packages if package in code_of(path)}
    assert naming == {REGISTRY}


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.stem)
def test_no_test_imports_from_another(path):
    shared = [name for name in imported_modules(path) if name.split(".")[0] == "tests"]
    assert all(name.startswith("tests.toy") for name in shared), shared


def code_of(path):
    """A module without docstrings and comments, which may give examples."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


@pytest.mark.parametrize("name", registry.BACKBONES)
def test_a_backbone_is_known_without_keras(name):
    code = f"import sys; from common.network.registry import backbone; backbone({name!r}); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
