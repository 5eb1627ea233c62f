"""How many policy updates a run needs before its hyperparameters show."""

GOOD_UPDATES = 10
"""Policy updates that a short run should have to show anything of its hyperparameters."""

TOO_FEW_UPDATES = 8
"""What no longer counts as about ten: plans warn, and reports call a budget too short, below this."""
