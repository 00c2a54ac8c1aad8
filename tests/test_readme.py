"""What the README files name is there: modules and their options, paths and links, make targets, imports."""

import ast
import functools
import importlib
import importlib.util
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "notebooks" / "photos" / "README.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "ckpts" / "README.md", *sorted((ROOT / "docs").glob("*.md")), PHOTOS]
# Folders of the project; what else lies in the checkout is not of it.
FOLDERS = (
    "common",
    "vgg_backbone",
    "mobilenet_backbone",
    "adain",
    "stargan_v2",
    "ckpts",
    "notebooks",
    "docs",
    "tests",
    "web",
    ".ci",
)
# What a user has, or gets: photos, results, folders; and the paper's files, which only some have.
PLACEHOLDERS = re.compile(
    r"(content|style|result|demo|film|original|explained|another|student|mask|labels|look)\w*(\.stylized)?\.\w+(\.zip)?|\w+\.npz|description\.json"
    r"|(holiday|photos|unseen|series|results|stylized|report|pairs|truth)/.*|runs/.*|ckpts/released.*|released/|shared/"
    r"|\.venv/.*|\w*\.weights\.h5|\.\w+(\.\w+)*"
)
# In code, what looks like a file or folder.
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
SUFFIXES = (".py", ".md", ".ipynb", ".h5", ".json", ".jpg", ".jpeg", ".png", ".npz", ".txt", ".toml", ".mp4", ".csv")


def named(path):
    return str(path.relative_to(ROOT))


def blocks(text, language):
    """Bodies of the fenced blocks in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text):
    """Shell commands of the fenced blocks, comments and line breaks removed, and all inline code."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from re.split(r"&&|;|\|", re.sub(r"(^|\s)#.*", "", line))
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def words(command):
    try:
        return shlex.split(command)
    except ValueError:  # inline code that is no command
        return []


def all_words():
    """Every command of every document, split, with the document."""
    return [(document, words(command)) for document in DOCUMENTS for command in commands(document.read_text())]


def module_commands():
    """Module and arguments of every `python -m MODULE ...`, and of every `pcakd ...`, a module's name once installed."""
    for _, command in all_words():
        if command[:1] == ["pcakd"] and len(command) > 1:
            yield "common.commands.pcakd", tuple(command[1:])
        if command[:2] == ["python", "-m"] and len(command) > 2:
            yield command[2], tuple(command[3:])


@functools.cache
def help_of(module, *subcommand):
    """What `python -m MODULE [SUBCOMMAND] --help` prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *subcommand, "--help"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"python -m {module} --help: {done.stderr}"
    return done.stdout


def subcommand(module, arguments):
    """The first of a command's arguments in a list, where it is the name of a subcommand; else an empty one."""
    return [word for word in arguments[:1] if re.search(rf"\{{[\w,]*\b{re.escape(word)}\b", help_of(module))]


@functools.cache
def project_files():
    """Paths of the project's files and folders below the root, with slashes, as one finds them in a fresh clone."""
    below = itertools.chain.from_iterable((ROOT / folder).rglob("*") for folder in FOLDERS)
    return {named(path) for path in itertools.chain(ROOT.glob("*"), below) if "__pycache__" not in path.parts}


def exists(path, document):
    """Whether `path`, a glob pattern, is in the project: below the root, the document, or as the end of a longer path."""
    pattern = path.rstrip("/")
    if any(next(base.glob(pattern), None) for base in (ROOT, document.parent)):
        return True
    expression = re.compile("(.*/)?" + re.escape(pattern).replace(r"\*", "[^/]*"))
    return any(expression.fullmatch(file) for file in project_files())


@pytest.mark.parametrize("module", sorted({module for module, _ in module_commands()}))
def test_modules_can_be_found(module):
    assert importlib.util.find_spec(module)


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    sorted({module for module, _ in module_commands() if (ROOT / module.replace(".", "/")).with_suffix(".py").exists()}),
)
def test_options_are_those_of_the_command(module):
    for name, arguments in module_commands():
        if name != module:
            continue
        text = help_of(module, *subcommand(module, arguments))
        for option in (word.split("=")[0] for word in arguments if re.match(r"--?[a-z]", word)):
            assert re.search(rf"(^|[\s\[|]){option}\b", text), f"python -m {module} has no {option}"


@pytest.mark.slow
def test_options_named_in_the_text_are_those_of_some_command():
    ours = [(module, arguments) for module, arguments in module_commands() if module.split(".")[0] in FOLDERS]
    known = "\n".join(help_of(module, *subcommand(module, arguments)) for module, arguments in ours)
    for document, command in all_words():
        if command and command[0].startswith("--"):
            assert re.search(rf"(^|[\s\[|]){command[0].split('=')[0]}\b", known), f"{named(document)}: {command[0]}"


@pytest.mark.parametrize("document", DOCUMENTS[:-1], ids=named)
def test_paths_exist(document):
    missing = set()
    for word in itertools.chain.from_iterable(map(words, commands(document.read_text()))):
        word = word.rpartition("=")[2].rstrip(",")
        looks_so = PATH.fullmatch(word) and ("/" in word or word.endswith(SUFFIXES))
        if looks_so and not PLACEHOLDERS.fullmatch(word) and not exists(word, document):
            missing.add(word)
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert not missing


def test_every_photo_is_listed_with_a_licence_that_lets_it_be_passed_on():
    rows = re.findall(r"^\| `(.+?)` \|.*?\|.*?\|(.*?)\|", PHOTOS.read_text(), re.MULTILINE)
    made_here = {"summer_palace_at_dusk.jpg"}
    assert {name for name, _ in rows} == {path.name for path in PHOTOS.parent.glob("*.jpg")} - made_here
    assert all(re.search(r"public domain|\[CC0\]|\[CC BY \d", licence) for _, licence in rows)


def test_make_targets_and_variables_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets, variables = re.findall(r"^([\w-]+):", makefile, re.MULTILINE), re.findall(r"^(\w+) \?=", makefile, re.MULTILINE)
    named_ones = [command[1:] for _, command in all_words() if command[:1] == ["make"]]
    assert named_ones
    for word in itertools.chain.from_iterable(named_ones):
        name, is_variable, _ = word.partition("=")
        assert name in (variables if is_variable else targets), f"make {word}"


def test_imports_in_examples_work():
    for block in blocks((ROOT / "README.md").read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}")


def test_the_packages_of_the_project_are_all_required():
    """`requirements.txt` holds what stylising takes and all extras, in the same versions."""
    text = (ROOT / "pyproject.toml").read_text()
    lists = re.search(r"^dependencies.*?^\[project.scripts\]", text, re.DOTALL | re.MULTILINE)[0]
    assert set(re.findall(r'"([\w-]+>=[\d.]+)"', lists)) == set((ROOT / "requirements.txt").read_text().split())
