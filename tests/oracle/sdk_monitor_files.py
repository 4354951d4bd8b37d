"""Reads a run's files with the SageMaker SDK's own model monitor classes; runs in its environment.

The folder named first stands for S3: the SDK is handed a session that reads and writes there, and
nothing else. Switches one column off with the SDK, and prints what its classes hold.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

logging.disable(logging.WARNING)

from sagemaker.core.model_monitor import Constraints, MonitoringExecution  # noqa: E402
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output  # noqa: E402

S3, PLACE, COLUMN = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


class Folder:
    """What the SDK's classes need of a session."""

    def read_s3_file(self, bucket: str, key_prefix: str) -> str:
        return (S3 / bucket / key_prefix).read_text("utf-8")

    def upload_string_as_file_body(
        self, body: str, bucket: str, key: str, kms_key: str | None = None
    ) -> None:
        (S3 / bucket / key).write_text(body, "utf-8")


session = Folder()
output = ProcessingOutput(
    output_name="result",
    s3_output=ProcessingS3Output(
        s3_uri=PLACE, local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    ),
)
execution = MonitoringExecution(
    sagemaker_session=session, job_name="a-run", inputs=[], output=output
)
constraints = Constraints.from_s3_uri(f"{PLACE}/constraints.json", sagemaker_session=session)
read = {
    "statistics": execution.statistics().body_dict,
    "violations": execution.constraint_violations().body_dict,
    "constraints": json.loads(json.dumps(constraints.body_dict)),
}
constraints.set_monitoring(enable_monitoring=False, feature_name=COLUMN)
constraints.save()
print(json.dumps(read))
