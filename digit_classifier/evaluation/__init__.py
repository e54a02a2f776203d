"""Evaluate models: metrics, calibration, robustness, reports and model cards."""
