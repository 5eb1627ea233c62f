"""What the values of a run's updates say of its training: rules, zones, and strips to be drawn."""
