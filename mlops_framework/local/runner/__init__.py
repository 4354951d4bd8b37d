"""What runs a training job, a processing job or a model server on this machine.

The folder is started as it lies, `python <folder> training <job folder>`, by an interpreter that
holds the data scientist's libraries and not this framework. It therefore imports nothing but the
standard library, its own siblings and what a SageMaker framework image would hold as well.

- `__main__`: the door; `lifeline`: nothing outlives the emulator; `optml`: /opt/ml as on AWS
- `training`: script mode; `training_environment`: the SM_* variables; `entry_point`: the user's
  program; `source`: its code and requirements; `errors`: what goes into the failure file
- `processing`: entry point and arguments of a processing job
- `xgboost_training`, `xgboost_serving`, `xgboost_data`: SageMaker's XGBoost algorithm, in an
  environment of its own that holds the library
- `serving`: /ping and /invocations around the user's model; `sklearn_handler`: the defaults
"""
