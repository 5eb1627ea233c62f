"""The version of rlsweep, in a separate module so that reading it does not import the Python API."""

__version__ = "0.2.0"
