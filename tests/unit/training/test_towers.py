"""Towers of layers compute what torch's modules do, for one sample and for many."""

import pytest
import torch
from torch import nn

from rlsweep.training.fast.towers import ACTIVATIONS, MOST_WEIGHTS, Layer, Pass


def towers(activation: type[nn.Module], width: int) -> list[nn.Sequential]:
    return [
        nn.Sequential(nn.Linear(5, width), activation(), nn.Linear(width, width), activation(), nn.Linear(width, 3))
        for _ in range(2)
    ]


def layers(modules: list[nn.Sequential], activation: type[nn.Module]) -> list[Layer]:
    found = []
    for index in (0, 2, 4):
        beside = [module[index] for module in modules]
        weight = torch.stack([layer.weight.detach().t() for layer in beside])
        bias = torch.stack([layer.bias.detach()[None] for layer in beside])
        found.append(Layer(weight, bias, None if index == 4 else ACTIVATIONS[activation]))
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("samples", "width"), [(1, 16), (1, 520), (2, 16), (7, 16)])
def test_outputs_are_those_of_torchs_modules(
    samples: int, width: int, activation: type[nn.Module], dtype: torch.dtype
) -> None:
    """Also with more weights than NumPy multiplies."""
    assert 16**2 < MOST_WEIGHTS < 520**2
    torch.manual_seed(0)
    modules = [module.to(dtype) for module in towers(activation, width)]
    inputs = torch.empty(samples, 5, dtype=dtype)
    computed = Pass(layers(modules, activation), inputs.expand(2, samples, 5))
    for _ in range(2):  # the arrays are used again
        inputs.copy_(torch.randn(samples, 5, dtype=dtype) * 3)
        computed.forward()
        with torch.no_grad():
            expected = torch.stack([module(inputs) for module in modules])
        torch.testing.assert_close(computed.outputs, expected, rtol=0, atol=50 * torch.finfo(dtype).eps)
