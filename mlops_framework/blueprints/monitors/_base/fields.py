"""Field types that only monitors have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_framework.contracts.fields import Accepts

MonitorSchedule = Annotated[
    str,
    Field(
        pattern="^cron[(]0 ([*]|([01]?[0-9]|2[0-3])(/(0?[1-9]|1[0-9]|2[0-4]))?)"
        " [?] [*] [*] [*][)]$",
        max_length=64,
    ),
    Accepts(
        "a schedule that SageMaker runs monitors on: hourly cron(0 * ? * * *), daily at an hour "
        "of UTC cron(0 6 ? * * *), or every few hours from one on cron(0 0/6 ? * * *)"
    ),
]
"""Nothing rarer than daily and nothing oftener than hourly exists for monitors."""

OptionalEndpointName = Annotated[
    str,
    Field(pattern="^([a-zA-Z0-9](-?[a-zA-Z0-9])*)?$", max_length=63),
    Accepts("the name of an endpoint that captures its traffic, or empty for batch transforms"),
]
ScheduleName = Annotated[
    str,
    Field(pattern="^([a-zA-Z0-9](-?[a-zA-Z0-9])*)?$", max_length=46),
    Accepts(
        "up to 46 letters, digits and single hyphens, not starting or ending with a hyphen (the "
        "stage follows, and SageMaker takes 63); empty for the derived name"
    ),
]
Attribute = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_.\[\]*@' ,:-]*$", max_length=128),
    Accepts(
        "a column's position such as 0, a column's name or, for JSON, a JMESPath expression; "
        "empty for none"
    ),
]
"""How analyzers find a value in a record; no quotation marks, since it becomes part of JSON."""

Offset = Annotated[
    str,
    Field(pattern="^-P(T|[0-9]{1,3}D)([0-9]{1,4}H)?([0-9]{1,4}M)?$", min_length=4, max_length=15),
    Accepts("a time back as ISO 8601 says it: -PT1H, -PT90M, -P1D, or -PT0H for none"),
]
OptionalAnalyzerImage = Annotated[
    str,
    Field(
        pattern="^([0-9]{12}[.]dkr[.]ecr(-fips)?[.][a-z0-9-]+[.][a-z0-9.-]+/[a-z0-9]+([._/-]+[a-z0-9]+)*"
        "(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[a-f0-9]{64})?)?$",
        max_length=255,
    ),
    Accepts("an image in Amazon ECR, or empty for AWS's own of the region"),
]
"""Without a tag where AWS gives none, as it does for the analyzer of data and model quality."""

Revision = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_.-]*$", max_length=64),
    Accepts("up to 64 letters, digits and _ . -"),
]
Threshold = Annotated[float, Field(ge=0, le=1)]
RuntimeSeconds = Annotated[int, Field(ge=1, le=86400)]

ProblemType = Literal["Regression", "BinaryClassification", "MulticlassClassification"]
AnyProblemType = Literal["", "Regression", "BinaryClassification", "MulticlassClassification"]
CaptureFormat = Literal["csv", "csv-with-header", "json", "json-lines"]

Scalar = str | int | float
"""A value of a column: text or a number."""
