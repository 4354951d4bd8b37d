"""One action of a CodePipeline stage, of those that AWS owns."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_codepipeline as codepipeline


def action(
    name: str,
    category: str,
    provider: str,
    configuration: Mapping[str, str],
    *,
    order: int = 1,
    takes: str | None = None,
    gives: str | None = None,
    namespace: str | None = None,
) -> codepipeline.CfnPipeline.ActionDeclarationProperty:
    """The action as CloudFormation declares it.

    Args:
        name: Of the action, as status shows it.
        category: ``Source``, ``Approval``, ``Invoke``, ``Deploy`` or ``Build``.
        provider: The service that carries it out.
        configuration: What that service is told.
        order: Place in the stage.
        takes: Artifact that it reads.
        gives: Artifact that it writes.
        namespace: Under which later actions find its output variables.
    """
    declared = codepipeline.CfnPipeline
    return declared.ActionDeclarationProperty(
        name=name,
        action_type_id=declared.ActionTypeIdProperty(
            category=category, owner="AWS", provider=provider, version="1"
        ),
        configuration=dict(configuration),
        run_order=order,
        namespace=namespace,
        input_artifacts=[declared.InputArtifactProperty(name=takes)] if takes else None,
        output_artifacts=[declared.OutputArtifactProperty(name=gives)] if gives else None,
    )
