"""What the orchestrator's functions need to keep model cards."""

from __future__ import annotations

from typing import Final

from mlops_framework.cdk import perms
from mlops_framework.cdk.function import PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.governance.cards import EXPORTS_FOLDER

CARD_BODIES: Final = {
    name: {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": title,
        "description": "The function checks it against SageMaker's model card schema.",
        "type": "object",
    }
    for name, title in (
        ("CardCreation", "A new model card"),
        ("CardChange", "Sections of a model card"),
        ("CardExport", "Export of a model card"),
    )
}
CARD_ROUTES: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("POST", "/model-cards", "CardCreation"),
    ("GET", "/model-cards", None),
    ("GET", "/model-cards/{name}", None),
    ("PATCH", "/model-cards/{name}", "CardChange"),
    ("DELETE", "/model-cards/{name}", None),
    ("GET", "/model-cards/{name}/versions", None),
    ("POST", "/model-cards/{name}/exports", "CardExport"),
    ("GET", "/model-cards/{name}/exports", None),
)


def let_keep_cards(stack: FrameworkStack, function: PythonFunction) -> None:
    """Let a function keep model cards, and read what completes them.

    Args:
        stack: The stack that holds the function.
        function: One that answers requests about model cards.
    """
    allow(
        function,
        actions=perms.KEEP_MODEL_CARDS,
        resources=[stack.arn("sagemaker", "model-card/*")],
        because="Requests name the card. Cards from before the platform carry none of its tags and "
        "are kept up to date as well.",
    )
    allow(
        function,
        actions=perms.LIST_MODEL_CARDS,
        resources=["*"],
        because="IAM has no resource for sagemaker:ListModelCards.",
    )
    allow(
        function,
        actions=perms.READ_MODEL_FACTS,
        resources=[stack.arn("sagemaker", "model/*"), stack.arn("sagemaker", "training-job/*")],
        because="Requests name the model or the training job that completes the card; it reads.",
    )
    data = stack.platform.bucket_arn("data-bucket-name")
    allow(
        function,
        actions=perms.READ_OBJECTS,
        resources=[f"{data}/*"],
        because="Requests name files of metrics, which jobs write anywhere in the data bucket.",
    )
    allow(function, actions=perms.LIST_BUCKET, resources=[data])
    allow(
        function,
        actions=perms.WRITE_OBJECTS,
        resources=[f"{data}/{EXPORTS_FOLDER}/*"],
        because="SageMaker writes exports in the caller's name, below this prefix alone.",
    )
    via_sagemaker = {
        "StringEquals": {"kms:ViaService": f"sagemaker.{stack.region}.{stack.url_suffix}"}
    }
    allow(
        function,
        actions=perms.GRANT_KEY,
        resources=[stack.platform.value("key-arn")],
        conditions=via_sagemaker,
    )
    allow(
        function,
        actions=[*perms.USE_KEY, *perms.GRANT_KEY],
        resources=[stack.arn("kms", "key/*")],
        conditions=via_sagemaker,
        because="A card may have a key of its own; SageMaker alone can use it so, and that key's "
        "policy has to agree.",
    )
