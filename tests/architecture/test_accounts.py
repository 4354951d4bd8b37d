"""Only one account number stands in this repository, besides AWS's own in the table of images."""

from __future__ import annotations

import re
import subprocess

from .sources import ROOT

DOCUMENTATION = {"111122223333"}
# AWS's accounts of public images (docs/adr/0025), and what the tests of that table expect of it.
OF_AWS = {"mlops_framework/images/table.json", "tests/unit/images/test_images.py"}
HOST_OR_ARN = re.compile(r"(?:arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:|\b)(\d{12})(?=:|\.dkr\.ecr)")


def test_account_numbers_are_the_documentations_but_for_the_table_of_aws_images() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.split("\0")
    found = {
        name: sorted(set(HOST_OR_ARN.findall(text)) - DOCUMENTATION)
        for name in listed
        if name and name not in OF_AWS
        for text in [
            (ROOT / name).read_bytes().decode(errors="ignore") if (ROOT / name).is_file() else ""
        ]
    }

    assert not {name: accounts for name, accounts in found.items() if accounts}
