"""``mlops approve``: the person's word on a registered model."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson, Environment

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[A-Za-z0-9-]+/[0-9]+"
)


def approve(
    ctx: typer.Context,
    arn: Annotated[
        str, typer.Argument(metavar="MODEL_PACKAGE_ARN", help="Version in the model registry.")
    ],
    env: Environment = None,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    because: Annotated[str, typer.Option("--because", help="Kept with the decision.")] = "",
    as_json: AsJson = False,
) -> None:
    """Approve a registered model, so that it may be served."""
    from mlops_framework.cli import screen

    if not _ARN.fullmatch(arn):
        raise typer.BadParameter(
            f"{arn!r} is not the ARN of a model package version, "
            "arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>."
        )
    wanted = "Rejected" if reject else "Approved"
    with screen.progress(f"Asking SageMaker about {arn}"):
        sagemaker = ctx.obj.places.find(env).client("sagemaker")
        change = {"ApprovalDescription": because} if because else {}
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=wanted, **change)
        # Read back: what was asked for is not yet what is.
        found = sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
    if found != wanted:
        raise NotDone(f"{arn} is {found}, although SageMaker took {wanted}.")
    if as_json:
        screen.show_json({"model_package_arn": arn, "status": found})
    else:
        screen.show_line(f"{arn} is {found}.")
