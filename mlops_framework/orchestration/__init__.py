"""From a request to a running pipeline: the plan, and the use cases behind the API.

Pure: no boto3, no clock, no environment. What it needs of the world stands in
:mod:`mlops_framework.orchestration.ports`; ``mlops_framework.aws`` fills it in for AWS and
``mlops_framework.testing`` in memory. The orchestrator Lambda is its only caller in production.
"""
