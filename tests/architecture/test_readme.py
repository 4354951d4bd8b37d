from __future__ import annotations

import re
import subprocess

from .sources import ROOT

ROOM = re.compile(r"`([a-z_./]+)`")


def rooms_of_the_map() -> set[str]:
    text = (ROOT / "README.md").read_text()
    chapter = text.split("## The rooms", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in chapter.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in ROOM.findall(row.split("|")[1])}


def tracked_folders(below: str, depth: int) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", below], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    folders = {"/".join(file.split("/")[:depth]) for file in listed if file.count("/") >= depth}
    return {folder for folder in folders if not folder.startswith(".")}


def test_every_room_of_the_map_exists() -> None:
    missing = [
        room
        for room in rooms_of_the_map()
        if not (ROOT / room).exists() and not (ROOT / "mlops_framework" / room).exists()
    ]

    assert not missing


def test_every_room_is_on_the_map() -> None:
    named = {room.strip("/").removeprefix("mlops_framework/") for room in rooms_of_the_map()}
    top = tracked_folders(".", 1)
    library = {
        folder.removeprefix("mlops_framework/") for folder in tracked_folders("mlops_framework", 2)
    }

    assert not (top | library) - named - {"mlops_framework"}


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line[:5] == "make "
    ]

    assert [line.split("#")[0].strip() for line in commands[:2]] == ["make demo", "make test"]


def test_the_index_of_the_documentation_leads_to_every_page_and_to_nothing_else() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    linked = {(ROOT / "docs" / link).resolve() for link in re.findall(r"[]][(]([^)#]+)", index)}
    pages = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "adr").glob("[0-9]*.md")}

    assert [page for page in linked if not page.exists()] == []
    assert pages - linked == {ROOT / "docs" / "README.md"}
