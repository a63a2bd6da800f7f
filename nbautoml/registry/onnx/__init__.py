"""Fitted models as ONNX graphs: written, checked against the model, and run."""
