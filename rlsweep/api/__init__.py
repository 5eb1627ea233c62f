"""The Python API: what a notebook, a script and the command line call."""
