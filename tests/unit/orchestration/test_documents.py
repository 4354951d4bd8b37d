from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.orchestration.documents import archive, canonical_json, digest


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical_json({"b": 1, "a": [1, 2]}) == canonical_json({"a": [1, 2], "b": 1})


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_moving_a_character_from_one_part_to_the_next_changes_the_digest() -> None:
    assert digest("ab", "c") != digest("a", "bc")


@given(st.dictionaries(st.text("abc./-", min_size=1), st.text(), max_size=5))
def test_an_archive_gives_back_what_was_put_in_and_is_the_same_in_any_order(
    files: dict[str, str],
) -> None:
    packed = archive(files)

    assert packed == archive(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as bundle:
        assert {n: bundle.read(n).decode() for n in bundle.namelist()} == files


def test_an_archive_carries_no_date_of_today() -> None:
    with zipfile.ZipFile(io.BytesIO(archive({"a.json": "{}"}))) as bundle:
        assert bundle.getinfo("a.json").date_time == (1980, 1, 1, 0, 0, 0)
