"""Ray as rlsweep uses it: starting and joining, tokens, nodes, resources."""
