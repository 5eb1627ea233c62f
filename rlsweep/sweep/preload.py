"""What every trial needs, imported by Ray's prestarted workers before their first trial lands on them."""

import ray.tune  # noqa: F401
import torch

import rlsweep.sweep.trainable
import rlsweep.training.train  # noqa: F401

# A process's first optimizer imports half of torch's compiler.
torch.optim.Adam([torch.zeros(1, requires_grad=True)])
