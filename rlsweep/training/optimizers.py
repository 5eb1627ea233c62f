"""Keep torch's optimizers from importing its compiler, which takes a second in every new process."""

import sys

from torch.optim import Optimizer


def keep_compiler_out() -> None:
    """Stop optimizers from importing `torch._dynamo`, which nothing here uses.

    Optimizer methods are wrapped to be skipped by torch.compile. The wrapper's first call imports the compiler and
    stores the skipping function in an attribute of the wrapped method (`torch._compile`, torch 2.13). Setting that
    attribute to the method itself avoids the import. Does nothing if the process already imported the compiler.
    """
    if "torch._dynamo" in sys.modules:
        return
    for method in vars(Optimizer).values():
        if (wrapped := getattr(method, "__wrapped__", None)) is not None:
            wrapped.__dynamo_disable = wrapped
