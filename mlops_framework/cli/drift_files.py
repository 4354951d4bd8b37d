"""Files that ``mlops drift`` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlops_framework.drift.errors import FileUnusable


def write_text(path: Path, text: str, *, never_over: Iterable[Path]) -> None:
    """Write a file and its folder; the files that were read are never overwritten.

    Raises:
        FileUnusable: If it is one of them, or cannot be written.
    """
    refuse_over(path, never_over)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written: {error.strerror}.") from error


def save(what: str, path: Path, text: str, *, never_over: Iterable[Path] = ()) -> bool:
    """Write a part of the report; that it cannot be written is told and changes no verdict.

    Returns:
        Whether it was written.
    """
    from mlops_framework.cli import screen

    try:
        write_text(path, text, never_over=never_over)
    except FileUnusable as fault:
        screen.show_note(f"The report's {what} was not written: {fault} The verdict stands.")
        return False
    return True


def refuse_over(path: Path, never_over: Iterable[Path]) -> None:
    """Refuse to write over what is read.

    Raises:
        FileUnusable: If the path is one of these files.
    """
    if any(path.resolve() == other.resolve() for other in never_over):
        raise FileUnusable(f"{path} is what was read; name another file to write.")
