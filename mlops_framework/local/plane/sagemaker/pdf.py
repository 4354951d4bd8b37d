"""A plain PDF of text lines, written out by hand: what an exported model card needs.

Source: ISO 32000-1, sections 7.3 (objects), 7.5 (file structure), 9.4 (text). One font of the
fourteen that every reader has, WinAnsi encoding; a letter that it lacks is written as ``?``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_SIZE, _LEADING = 9, 13
_COLUMNS = 100
_LINES = (_HEIGHT - 2 * _MARGIN) // _LEADING


def pdf(lines: Iterable[str]) -> bytes:
    """A PDF document of A4 pages.

    Args:
        lines: Text; long lines are wrapped, pages begin as they are needed.
    """
    wrapped = [part for line in lines for part in _wrap(line)] or [""]
    pages = [wrapped[start : start + _LINES] for start in range(0, len(wrapped), _LINES)]
    # Objects 1 to 3 are the catalogue, the page tree and the font; then a page and its text each.
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        text = _text(page)
        objects += [
            (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
                f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
            ).encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        ]
    return _file(objects)


def _wrap(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, _COLUMNS, subsequent_indent=indent) or [""]


def _text(lines: Iterable[str]) -> bytes:
    start = f"BT /F1 {_SIZE} Tf {_LEADING} TL {_MARGIN} {_HEIGHT - _MARGIN} Td\n".encode()
    shown = b"".join(b"(%s) Tj T*\n" % _escaped(line) for line in lines)
    return start + shown + b"ET"


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: list[bytes]) -> bytes:
    body, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
    )
    return bytes(body)
