"""Drive one sweep with Ray Tune."""
