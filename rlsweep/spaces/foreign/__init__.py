"""Files of other tools → search spaces: what `rlsweep import` writes."""
