"""The table of operations is about our code: nothing is missing in it, and nothing is left over."""

from __future__ import annotations

from botocore import xform_name

from tests.iam.adapters import services, used
from tests.iam.calls import OPERATIONS


def test_every_operation_in_functions_code_is_in_the_table_and_no_other() -> None:
    assert used(OPERATIONS) == {xform_name(key.partition(".")[2]) for key in OPERATIONS}


def test_every_service_that_functions_have_clients_of_is_in_the_table() -> None:
    # The role's own client of STS is made where a role is taken, not in a wiring.
    assert services() <= {key.partition(".")[0] for key in OPERATIONS}
    assert len(services()) > 5
