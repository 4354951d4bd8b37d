"""boto3 behind the ports: one module per service, no decisions.

Clients come from :mod:`mlops_framework.aws.clients`; every call runs inside
:func:`mlops_framework.aws.refusals.refusals`, so that callers meet the framework's conditions and
never botocore's.
"""
