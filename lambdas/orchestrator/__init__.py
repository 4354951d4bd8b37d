"""The orchestrator: the REST API, and the asynchronous removal of pipelines."""
