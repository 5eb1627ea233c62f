"""Ray clusters: starting and joining, tokens, nodes, resources. Only this room uses Ray's private names."""
