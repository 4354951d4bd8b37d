"""What the inference function reads from its environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class InferenceSettings(LambdaSettings):
    """Settings of ``handler:handler``."""

    endpoint_name: str
    """SageMaker endpoint in front of which the API stands."""
    endpoint_mode: str = "real-time"
    """``real-time``, ``serverless`` or ``asynchronous``."""
    input_location: str = ""
    """S3 prefix for what an asynchronous endpoint is asked."""
    inference_component: str = ""
    """Inference component that answers, for an endpoint that scales to zero."""
    many_models: bool = False
    """Whether each call names the model that answers it."""
    variant_name: str = "AllTraffic"
    """The variant that captures of an asynchronous endpoint name; it has one."""
    notes_location: str = ""
    """S3 prefix for notes of captured requests that wait for their answers."""
    capture_location: str = ""
    """S3 prefix for captures that this function writes, without the endpoint's name."""
    capture_percentage: int = 0
    """Calls that this function captures, percent; SageMaker captures real-time endpoints itself."""
    capture_csv_types: str = "text/csv"
    """Media types that are captured as CSV, with commas."""
    capture_json_types: str = "application/json"
    """Media types that are captured as JSON, with commas."""


class AnswerSettings(LambdaSettings):
    """Settings of ``answers:handler``."""

    environment_prefix: str
    """Prefix of the environment, for example ``mlops-prod``."""
    endpoint_name: str
    """The asynchronous endpoint."""
    notes_location: str
    """S3 prefix for notes of captured requests that wait for their answers."""
    capture_csv_types: str = "text/csv"
    """Media types that are captured as CSV, with commas."""
    capture_json_types: str = "application/json"
    """Media types that are captured as JSON, with commas."""
