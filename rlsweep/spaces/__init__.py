"""Search spaces: ranges and choices from which agent configs are drawn, next to a base config."""
