"""The drift engine: captured traffic against training data, judged and explained.

The surface that others use, and that stays when the engine behind it is replaced:

* :class:`~mlops_framework.drift.service.DriftMonitor`: profile an object, evaluate, build a
  baseline, over the ports of :mod:`~mlops_framework.drift.ports`;
* :class:`~mlops_framework.drift.config.MonitorConfig`: what a monitor is configured with;
* the report document (``report.schema.json``) and the event detail
  (:func:`~mlops_framework.drift.messages.event_detail`).

Pure: no AWS, no clock, no environment; the standard library alone.
"""
