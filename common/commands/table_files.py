"""A table as two files: its lines as CSV, and what is told of them as Markdown."""

from common.errors import InputError
from common.evaluation.report import write_csv
from common.files import require_absent, written_whole


def table_paths(options, replace):
    """The CSV and the Markdown file of a table; its folder is made.

    Raises:
        InputError: one is there and may not be replaced, or they cannot be written.
    """
    folder = options.output
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder to write the table to")
    paths = [folder / f"{options.name}{suffix}" for suffix in (".csv", ".md")]
    for path in paths:
        require_absent(path, replace)
    folder.mkdir(parents=True, exist_ok=True)
    return paths


def write_tables(paths, lines, conditions, tables):
    """Write `lines`, dicts, as CSV, and `tables`, of title, headings and rows, as Markdown, and print the latter."""
    text = markdown(conditions, tables)
    write_files(paths, lines, text)
    print(text, end="")


def write_files(paths, lines, text):
    """Write a table's CSV and its Markdown."""
    write_csv(paths[0], lines)
    with written_whole(paths[1]) as temporary:
        temporary.write_text(text, encoding="utf-8")


def markdown(conditions, tables):
    """The text of `tables`: title, headings, rows of strings."""
    lines = [conditions]
    for title, headings, rows in tables:
        lines += ["", f"## {title}", ""]
        lines += [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)]
    return "\n".join([*lines, ""])


def number(value):
    """A whole number, or a dash for None and 0."""
    return f"{value:,}" if value else "-"
