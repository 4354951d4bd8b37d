"""SageMaker Pipelines: definitions, their expressions, and executions that really run.

- `definition`: a parsed and checked pipeline definition
- `expressions`, `conditions`: values that are known only while it runs
- `steps`: what each type of step does; `execution`: one run of a pipeline
- `operations`, `executions`: the API
"""
