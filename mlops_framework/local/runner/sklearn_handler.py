"""What the scikit-learn image does where the user's module leaves a function out.

The same as `sagemaker_sklearn_container.serving`: there is no default way to load a model; text
becomes a float32 array; the prediction is `model.predict`.
"""

from __future__ import annotations

from typing import Any

from sagemaker_inference import content_types, decoder
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler


class SklearnHandler(DefaultInferenceHandler):  # type: ignore[misc]  # untyped base
    """Defaults of the scikit-learn image; encoding the answer is the toolkit's own."""

    def default_input_fn(self, input_data: Any, content_type: str) -> Any:
        """Read the request into an array.

        Args:
            input_data: the body; text for CSV and JSON.
            content_type: its type.

        Returns:
            An array; float32 when it came as text.
        """
        array = decoder.decode(input_data, content_type)
        return array.astype("float32") if content_type in content_types.UTF8_TYPES else array

    def default_predict_fn(self, data: Any, model: Any) -> Any:
        """Predict.

        Args:
            data: what `input_fn` returned.
            model: what `model_fn` returned.

        Returns:
            `model.predict(data)`.
        """
        return model.predict(data)
