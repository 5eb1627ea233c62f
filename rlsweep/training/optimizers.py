"""Torch's optimizers without its compiler, which takes a second of every new process to import."""

import sys

from torch.optim import Optimizer


def keep_compiler_out() -> None:
    """Let optimizers do without `torch._dynamo`, which nothing here uses.

    Their methods are wrapped so as to be skipped by torch.compile: the first call fetches what does that, and keeps it
    as an attribute of the wrapped function (`torch._compile`, torch 2.13). With the function itself for it there is
    nothing to fetch. A process that has imported the compiler for its own purposes is left as it is.
    """
    if "torch._dynamo" in sys.modules:
        return
    for method in vars(Optimizer).values():
        if (wrapped := getattr(method, "__wrapped__", None)) is not None:
            wrapped.__dynamo_disable = wrapped
