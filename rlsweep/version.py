"""The version of rlsweep, in a module of its own: whoever needs it need not import the Python API."""

__version__ = "0.1.0"
