"""Whether routing pays on judged cases: policies, curves, calibration and a verdict."""
