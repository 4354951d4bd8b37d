"""Everything an environment decides, typed. Read from ``environments/*.yaml`` by the loader.

Stacks and constructs read fields of :class:`EnvironmentConfig`, never an environment's name.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from mlops_framework import naming
from mlops_framework.contracts.base import CONFLICT
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.environments.git_faults import git_faults
from mlops_framework.errors import Fault

LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip
"""The retentions CloudWatch Logs offers, days."""

_Name = Annotated[str, Field(pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16)]
_Account = Annotated[str, Field(pattern="^[0-9]{12}$")]
_Region = Annotated[str, Field(pattern="^[a-z]{2}(-[a-z]+)+-[0-9]$")]
_Bucket = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
_Email = Annotated[
    str, Field(pattern="^[^@ \"'\\\\]+@[^@ \"'\\\\]+[.][^@ \"'\\\\]+$", max_length=254)
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StageConfig(_Section):
    """A delivery stage. Pipelines deploy to the stages in order."""

    name: _Name = Field(description="Name of the stage; becomes part of stack names.")
    approval: bool = Field(
        default=False, description="Whether a person approves before the stage is deployed."
    )
    stands_for: tuple[_Name, ...] = Field(
        default=(),
        strict=False,
        description="Stages of the AWS MLOps Framework 2.x (dev, staging, prod) that this one is "
        "in bodies that were written for it.",
    )
    account: _Account | None = Field(
        default=None, description="Not carried in this release; every stage is in the account."
    )
    region: _Region | None = Field(
        default=None, description="Not carried in this release; every stage is in the region."
    )


class NetworkConfig(_Section):
    """An existing network that jobs and endpoints run in."""

    vpc_id: Annotated[str, Field(pattern="^vpc-[0-9a-f]{8,17}$")] = Field(description="The VPC.")
    subnet_ids: Annotated[
        tuple[Annotated[str, Field(pattern="^subnet-[0-9a-f]{8,17}$")], ...],
        Field(min_length=1, strict=False),
    ] = Field(description="Private subnets, one per availability zone.")
    security_group_ids: Annotated[
        tuple[Annotated[str, Field(pattern="^sg-[0-9a-f]{8,17}$")], ...],
        Field(min_length=1, max_length=5, strict=False),
    ] = Field(description="Security groups of jobs and endpoints.")
    network_isolation: bool = Field(
        default=False, description="Whether containers may reach nothing, not even S3, themselves."
    )


class NotificationConfig(_Section):
    """Who hears of alarms, drift and failed pipelines."""

    emails: tuple[_Email, ...] = Field(
        default=(), strict=False, description="Addresses subscribed to the alert topic."
    )


class AlarmConfig(_Section):
    """When the platform's alarms go off."""

    enabled: bool = Field(default=True, description="Whether alarms notify.")
    period_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=5, description="Length of one evaluation period, minutes."
    )
    function_errors: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Errors of a platform function in a period that are too many."
    )
    api_server_errors: Annotated[int, Field(ge=1)] = Field(
        default=1, description="5xx responses of the API in a period that are too many."
    )
    queue_age_seconds: Annotated[int, Field(ge=60)] = Field(
        default=900, description="Age at which a waiting drift message is too old, seconds."
    )


class DriftConfig(_Section):
    """How long drift monitoring keeps what it can count again, or needs for a time only.

    Baselines, reports and what monitors remember stay; so do objects that were written before
    these rules.
    """

    keep_profiles_days: Annotated[int, Field(ge=7)] | None = Field(
        default=400,
        description="How long profiles of captured objects stay, days; for ever if null.",
    )
    keep_rows_days: Annotated[int, Field(ge=3)] | None = Field(
        default=90,
        description="How long single predictions and labels stay, days; for ever if null. They are "
        "needed for the longest label_horizon_hours of a monitor and two days more.",
    )


class BudgetConfig(_Section):
    """A monthly budget for what carries the environment's cost tag."""

    monthly_limit_usd: Annotated[int, Field(ge=1)] = Field(description="Limit, US dollars.")
    alert_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=80, description="Share of the limit that notifies, percent."
    )


class BlueprintSelection(_Section):
    """Which of the installed blueprints this environment offers."""

    enabled: tuple[Annotated[str, Field(pattern="^[a-z*][a-z0-9*-]*$")], ...] = Field(
        default=("*",),
        strict=False,
        description="Kinds, or patterns such as acme-*; installing a blueprint does not enable it.",
    )
    modules: tuple[
        Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_.]*(:[A-Za-z_]+)?$")], ...
    ] = Field(
        default=(),
        strict=False,
        description="Importable modules with a BLUEPRINT, for code that is not packaged.",
    )


class GitSourceConfig(_Section):
    """A folder of request files in a Git repository; a push changes pipelines to match it.

    Three forms: a connection to GitHub, GitLab or Bitbucket, a CodeCommit repository, or an archive
    that a build server of any other host puts into S3.
    """

    name: _Name = Field(description="Name of the source; pipelines are recorded with it.")
    connection_arn: (
        Annotated[
            str,
            Field(
                pattern="^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:"
                "[0-9]{12}:connection/[0-9a-f-]{36}$"
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Connection to GitHub, GitLab or Bitbucket; CodeCommit if null.",
    )
    repository: (
        Annotated[str, Field(pattern="^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=200)] | None
    ) = Field(
        default=None,
        description="owner/name, or the name of a CodeCommit repository; null with an archive.",
    )
    archive: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]+\.zip$", max_length=200)] | None = (
        Field(
            default=None,
            description="Key of a zip file of the repository in the configuration bucket, such as "
            "git/models.zip; whoever puts it there pushes. Instead of repository.",
        )
    )
    branch: Annotated[str, Field(pattern="^[A-Za-z0-9_./-]+$", max_length=200)] = Field(
        default="main", description="Branch that is delivered."
    )
    folder: Annotated[str, Field(pattern="^([A-Za-z0-9_.-]+/)+$", max_length=200)] = Field(
        default="pipelines/", description="Folder of the request files, with a slash at its end."
    )
    approval: bool = Field(
        default=True, description="Whether a person approves the plan before it is applied."
    )
    prune: bool = Field(
        default=False,
        description="Whether pipelines that came from here are removed with their file.",
    )


class ExtensionSelection(_Section):
    """Which of the installed platform extensions this environment takes."""

    enabled: tuple[Annotated[str, Field(pattern="^[a-z*][a-z0-9*-]*$")], ...] = Field(
        default=(),
        strict=False,
        description="Names, or patterns such as acme-*; installing one does not enable it.",
    )
    modules: tuple[
        Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_.]*(:[A-Za-z_]+)?$")], ...
    ] = Field(
        default=(),
        strict=False,
        description="Importable modules with an EXTENSION, for code that is not packaged.",
    )
    settings: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$")], dict[str, JsonValue]] = (
        Field(default_factory=dict, description="Settings by extension; each says what it accepts.")
    )


class EnvironmentConfig(_Section):
    """One environment: one account and region, its stages, guards and choices."""

    name: _Name = Field(description="Name of the environment; that of its file.")
    name_prefix: Annotated[str, Field(pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16)] = (
        Field(default="mlops", description="Begins every name the framework creates.")
    )
    account: _Account | None = Field(
        default=None, description="AWS account, in quotes; the caller's own if null."
    )
    region: _Region = Field(description="AWS region.")
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1, max_length=8)] = Field(
        strict=False, description="Delivery stages, in order."
    )

    retain_data: bool = Field(
        default=True, description="Whether buckets and tables survive the deletion of their stack."
    )
    retain_data_confirmation: str | None = Field(
        default=None,
        description="Must read 'data of <environment> may be deleted' beside retain_data: false.",
    )
    termination_protection: bool = Field(
        default=False, description="Whether platform stacks refuse to be deleted."
    )

    configuration_bucket: _Bucket | None = Field(
        default=None,
        description="Your bucket whose mlops-config*.json files are requests; it has to send its "
        "events to EventBridge. The platform makes one if null.",
    )
    assets_bucket: _Bucket | None = Field(
        default=None,
        description="Assets bucket of the AWS MLOps Framework 2.x, in which its bodies' paths "
        "without a bucket are; the data bucket if null.",
    )

    networking: NetworkConfig | None = Field(
        default=None,
        description="Existing network for jobs and endpoints; SageMaker's own if null.",
    )
    kms_key_arn: (
        Annotated[str, Field(pattern="^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$")]
        | None
    ) = Field(
        default=None,
        description="Your key for data at rest; the platform makes one if null. Its policy has to "
        "leave it to IAM who uses it, let CloudWatch Logs encrypt with it, and let CloudWatch and "
        "EventBridge use it without a condition on their source.",
    )
    permissions_boundary_arn: (
        Annotated[str, Field(pattern="^arn:aws[a-z-]*:iam::[0-9]{12}:policy/[a-zA-Z0-9+=,.@_/-]+$")]
        | None
    ) = Field(
        default=None,
        description="Your boundary for every role; the platform makes one if null.",
    )

    tags: dict[
        Annotated[str, Field(pattern="^[a-zA-Z0-9_.:/=+@ -]+$", max_length=128)],
        Annotated[str, Field(pattern="^[a-zA-Z0-9_.:/=+@ -]*$", max_length=256)],
    ] = Field(default_factory=dict, description="Tags of every resource.")
    log_retention_days: LogRetentionDays = Field(
        default=90, description="How long logs are kept, days; one of CloudWatch's choices."
    )
    notifications: NotificationConfig = Field(
        default_factory=NotificationConfig, description="Who hears of alarms and drift."
    )
    alarms: AlarmConfig = Field(default_factory=AlarmConfig, description="When alarms go off.")
    drift: DriftConfig = Field(
        default_factory=DriftConfig, description="How long drift monitoring keeps its objects."
    )
    budget: BudgetConfig | None = Field(default=None, description="Monthly budget; none if null.")
    blueprints: BlueprintSelection = Field(
        default_factory=BlueprintSelection, description="Which blueprints are offered."
    )
    extensions: ExtensionSelection = Field(
        default_factory=ExtensionSelection,
        description="Which platform extensions guard the stacks and stand beside them.",
    )
    git_sources: tuple[GitSourceConfig, ...] = Field(
        default=(),
        strict=False,
        description="Git repositories whose pushes start pipelines; none if empty.",
    )
    lambda_bundle: Literal["cloud", "host"] = Field(
        default="cloud",
        description="Which wheels Lambda bundles hold: the cloud's, or this machine's.",
    )

    @property
    def prefix(self) -> str:
        """Begins every name in this environment: ``mlops-dev``."""
        return naming.environment_prefix(self.name_prefix, self.name)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages, in order."""
        return tuple(stage.name for stage in self.stages)

    @property
    def role_path(self) -> str:
        """IAM path of every role."""
        return naming.role_path(self.name_prefix)

    @model_validator(mode="after")
    def _no_conflicts(self) -> Self:
        faults = [
            *_stage_faults(self),
            *_alias_faults(self),
            *_retention_faults(self),
            *_key_faults(self),
            *git_faults(self.git_sources),
        ]
        if faults:
            said = "; ".join(map(str, faults))
            raise PydanticCustomError(CONFLICT, "{said}", {"said": said, "faults": tuple(faults)})
        return self


def retention_confirmation(environment: str) -> str:
    """What ``retain_data_confirmation`` reads; names the environment: a copy is no consent."""
    return f"data of {environment} may be deleted"


def _stage_faults(config: EnvironmentConfig) -> list[Fault]:
    faults = []
    names = [stage.name for stage in config.stages]
    for index, stage in enumerate(config.stages):
        if stage.name in names[:index]:
            said = f"There are two stages {stage.name!r}; a stage's name is part of its stack's."
            faults.append(
                Fault(f"stages.{index}.name", said, "a name of its own", shown(stage.name))
            )
        for key, own in (("account", config.account), ("region", config.region)):
            given = getattr(stage, key)
            if given is not None and given != own:
                faults.append(
                    Fault(
                        f"stages.{index}.{key}",
                        f"The stage {stage.name!r} is in another {key}, which this release does "
                        f"not carry: every stage runs in the environment's {key}. Remove it, "
                        f"and write an environment file of its own for that {key}.",
                        f"no {key}",
                        shown(given),
                    )
                )
    return faults


def _alias_faults(config: EnvironmentConfig) -> list[Fault]:
    """Every name of a stage of the predecessor means one stage."""
    faults, taken = [], {stage.name: stage.name for stage in config.stages}
    for index, stage in enumerate(config.stages):
        for alias in stage.stands_for:
            if taken.setdefault(alias, stage.name) != stage.name:
                said = f"{alias!r} is the stage {taken[alias]!r} already."
                path = f"stages.{index}.stands_for"
                faults.append(Fault(path, said, "each name for one stage", shown(alias)))
    return faults


def _retention_faults(config: EnvironmentConfig) -> list[Fault]:
    wanted = retention_confirmation(config.name)
    given = config.retain_data_confirmation
    if not config.retain_data and given != wanted:
        said = (
            "Deleting a stack would delete its data. One switch is not enough for that: write "
            f"retain_data_confirmation: {wanted} beside it, in the same file."
        )
        found = NOTHING if given is None else shown(given)
        return [Fault("retain_data_confirmation", said, shown(wanted), found)]
    if config.retain_data and given is not None:
        said = "Confirms a deletion that retain_data: true forbids; remove one of the two."
        return [Fault("retain_data_confirmation", said, NOTHING, shown(given))]
    return []


def _key_faults(config: EnvironmentConfig) -> list[Fault]:
    if config.kms_key_arn and config.kms_key_arn.split(":")[3] != config.region:
        said = f"The key is in another region than the environment ({config.region})."
        return [Fault("kms_key_arn", said, f"a key in {config.region}", shown(config.kms_key_arn))]
    return []
