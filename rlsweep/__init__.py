"""rlsweep: test hyperparameter variants with short runs before a long one.

The rooms and who may import whom stand in README.md ("How it is built"); `make lint` holds them.
"""

__version__ = "0.1.0"
