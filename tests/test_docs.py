"""The documentation says what the program does: settings, commands, recipes and links."""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from visionai import cli
from visionai.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_every_setting_is_in_the_table_with_its_default_and_a_meaning() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.+?)`|–) \| (.+) \|$", text, re.MULTILINE)
    documented = {name: default for name, default, _ in rows}
    assert documented == {field.name.upper(): shown(field.default) for field in msgspec.structs.fields(Settings)}
    assert all(meaning.rstrip().endswith(".") for _, _, meaning in rows)


def shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    return "" if default is None else str(default)


def commands(parser: argparse.ArgumentParser, path: str = "visionai") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not deeper:
        yield path, parser
    for action in deeper:
        for name, child in action.choices.items():
            yield from commands(child, f"{path} {name}")


@pytest.mark.parametrize(("command", "parser"), [pytest.param(*c, id=c[0]) for c in commands(cli._parser())])
def test_every_command_and_option_is_documented_and_explains_itself(
    command: str, parser: argparse.ArgumentParser
) -> None:
    text = (ROOT / "docs/guides/cli.md").read_text()
    row = re.search(rf"^\| `{command}` \| (.+) \|$", text, re.MULTILINE)
    assert row, f"docs/guides/cli.md has no row for {command}"
    assert parser.description, f"{command} --help says nothing of the command itself"
    for action in parser._actions:
        assert action.help or action.choices, f"{command} {action.dest}: no help"
        for option in {o for o in action.option_strings if o.startswith("--")} - {"--help"}:
            assert f"`{option}`" in row[1], f"docs/guides/cli.md: {command} {option} is missing"


def test_no_command_is_documented_that_does_not_exist() -> None:
    text = (ROOT / "docs/guides/cli.md").read_text()
    assert set(re.findall(r"^\| `(visionai [^`]+)` \|", text, re.MULTILINE)) == {
        name for name, _ in commands(cli._parser())
    }


def recipes() -> set[str]:
    return set(re.findall(r"^([a-z]+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_recipes_commands_and_links_exist(document: Path) -> None:
    text = document.read_text()
    in_code = "\n".join(code_of(text))
    assert set(re.findall(r"^make ([a-z]+)", in_code, re.MULTILINE)) <= recipes()
    known = {name.split()[1] for name, _ in commands(cli._parser())}
    assert set(re.findall(r"^visionai ([a-z]+)", in_code, re.MULTILINE)) <= known
    links = {link.partition("#")[0] for link in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)}
    assert not [link for link in links if not (document.parent / link).exists()]


def code_of(text: str) -> Iterator[str]:
    for block, inline in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL):
        yield from block.splitlines() if block else [inline]


def test_the_two_commands_of_the_readme_are_what_ci_runs() -> None:
    ci = (ROOT / ".ci/run").read_text()
    for recipe in ("demo", "test"):
        assert f"make {recipe}" in (ROOT / "README.md").read_text()
        assert re.search(rf"^step make {recipe}\b", ci, re.MULTILINE)


def test_every_allowed_skip_names_an_existing_test_file_and_a_reason() -> None:
    for entry in tomllib.loads((ROOT / "tests/allowed_skips.toml").read_text()).get("skip", []):
        assert (ROOT / entry["test"].partition("::")[0]).exists()
        assert len(entry["reason"].split()) >= 3
