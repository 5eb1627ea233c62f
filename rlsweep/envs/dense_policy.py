"""Play a policy of dense layers with NumPy: for one observation it takes a tenth of torch's time."""

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_META = "meta"
_OURS = ("mlp_extractor.policy_net.", "mlp_extractor.value_net.", "action_net.", "value_net.")


def _elu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    negative: NDArray[np.float32] = np.expm1(np.minimum(values, 0))
    return np.maximum(values, 0) + negative


_ACTIVATIONS: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "Tanh": np.tanh,
    "ReLU": lambda values: np.maximum(values, 0),
    "ELU": _elu,
}
"""By the name of torch's class."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ObservationScale:
    """How `VecNormalize` scales observations: mean and variance of shape (n,), float64."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    epsilon: float
    clip: float

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "ObservationScale":
        """The scale with these values, of which mean and variance may be lists."""
        arrays = {key: np.asarray(plain[key], np.float64) for key in ("mean", "variance")}
        return cls(**{**plain, **arrays})

    def __call__(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """A scaled observation, as `VecNormalize.normalize_obs` gives it."""
        centred = (seen - self.mean) / np.sqrt(self.variance + self.epsilon)
        return np.clip(centred, -self.clip, self.clip).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DensePolicy:
    """The policy network of an SB3 MlpPolicy with Discrete actions.

    layers: weight (out, in) and bias (out,) of each layer, float32; the last one gives the logits of the actions
    activation: name of torch's class, between the layers
    scale: of the observations; None if they are not normalised
    """

    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    activation: str
    scale: ObservationScale | None

    def draw(self, seen: NDArray[np.float32], legal: Sequence[int] | NDArray[np.intp], rng: random.Random) -> int:
        """A legal action, drawn with its probability. seen: the observation (n,); legal: at least one action."""
        logits = self._logits(seen, legal)
        reached = np.exp(logits - logits.max(), dtype=np.float64).cumsum()
        drawn = int(reached.searchsorted(rng.random() * reached[-1], side="right"))
        return int(legal[min(drawn, len(legal) - 1)])

    def best(self, seen: NDArray[np.float32], legal: NDArray[np.intp] | None) -> int:
        """The most probable legal action, the first one of several. seen: as of `draw`; legal: None if all are."""
        if legal is None:
            return int(self._logits(seen, slice(None)).argmax())
        return int(legal[int(self._logits(seen, legal).argmax())])

    def _logits(
        self, seen: NDArray[np.float32], legal: Sequence[int] | NDArray[np.intp] | slice
    ) -> NDArray[np.float32]:
        activate = _ACTIVATIONS[self.activation]
        latent = seen.ravel() if self.scale is None else self.scale(seen.ravel())
        for weight, bias in self.layers[:-1]:
            latent = activate(weight @ latent + bias)
        weight, bias = self.layers[-1]
        logits: NDArray[np.float32] = weight[legal] @ latent + bias[legal]
        return logits


def dense_policy(
    weights: Mapping[str, NDArray[np.float32]], activation: str, scale: ObservationScale | None
) -> DensePolicy:
    """The policy of SB3's tensors, by their names in its state dict; the arrays are copied.

    Raises ValueError, with a clause as its text, for another kind of network.
    """
    foreign = [name for name in weights if not name.startswith(_OURS)]
    if foreign:
        raise ValueError(f"its network has {foreign[0]}, and only dense layers can be played")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"its activation is {activation}, and only {', '.join(_ACTIVATIONS)} can be played")
    hidden = "mlp_extractor.policy_net."
    numbers = sorted({int(name.removeprefix(hidden).partition(".")[0]) for name in weights if name.startswith(hidden)})
    names = [*(f"{hidden}{number}" for number in numbers), "action_net"]
    layers = tuple((weights[f"{name}.weight"].copy(), weights[f"{name}.bias"].copy()) for name in names)
    _check_shapes(layers, scale)
    return DensePolicy(layers=layers, activation=activation, scale=scale)


def _check_shapes(
    layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], scale: ObservationScale | None
) -> None:
    if any(weight.ndim != 2 for weight, _ in layers):
        raise ValueError("one of its layers has weights of another shape than (out, in)")
    inputs = [weight.shape[1] for weight, _ in layers]
    outputs = [weight.shape[0] for weight, _ in layers]
    if inputs[1:] != outputs[:-1] or any(bias.shape != weight.shape[:1] for weight, bias in layers):
        raise ValueError("its layers do not fit together")
    if scale is not None and not scale.mean.shape == scale.variance.shape == (inputs[0],):
        raise ValueError("its statistics are of other observations")


def pack(policies: Sequence[DensePolicy], notes: Sequence[Mapping[str, Any]]) -> bytes:
    """Policies as one `.npz`, each with a note of JSON-able values."""
    arrays: dict[str, NDArray[Any]] = {}
    metas = []
    for index, (policy, note) in enumerate(zip(policies, notes, strict=True)):
        for number, (weight, bias) in enumerate(policy.layers):
            arrays[f"{index}/{number}/weight"], arrays[f"{index}/{number}/bias"] = weight, bias
        scale = policy.scale
        if scale is not None:
            arrays[f"{index}/mean"], arrays[f"{index}/variance"] = scale.mean, scale.variance
        metas.append(
            {
                "note": dict(note),
                "layers": len(policy.layers),
                "activation": policy.activation,
                "scale": None if scale is None else {"epsilon": scale.epsilon, "clip": scale.clip},
            }
        )
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays, **{_META: np.array(json.dumps(metas))})
    return file.getvalue()


def unpack(packed: bytes) -> list[tuple[DensePolicy, dict[str, Any]]]:
    """The policies and notes of `pack`; nothing is unpickled. Raises ValueError or KeyError for anything else."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return [
            (
                DensePolicy(
                    layers=tuple(
                        (arrays[f"{index}/{number}/weight"], arrays[f"{index}/{number}/bias"])
                        for number in range(meta["layers"])
                    ),
                    activation=meta["activation"],
                    scale=None
                    if meta["scale"] is None
                    else ObservationScale(
                        mean=arrays[f"{index}/mean"], variance=arrays[f"{index}/variance"], **meta["scale"]
                    ),
                ),
                meta["note"],
            )
            for index, meta in enumerate(json.loads(str(arrays[_META])))
        ]
