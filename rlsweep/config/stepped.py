"""Values that change at given env steps while a run trains: `{0: 3.0e-4, 40960: 2.4e-4}`.

A value counts from the first update whose rollout begins at or after its env step. The env steps are text, in files,
records and memory alike, since a JSON object has no other keys: `{"0": 3.0e-4, "40960": 2.4e-4}`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeGuard, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from rlsweep.config.layers import SECTIONS

Value = TypeVar("Value")

_MAY_CHANGE = frozenset(
    {
        "learning_rate",
        "gamma",
        "batch_size",
        "n_epochs",
        "ppo.ent_coef",
        "ppo.clip_range",
        "ppo.clip_range_vf",
        "ppo.vf_coef",
        "ppo.gae_lambda",
        "ppo.max_grad_norm",
        "ppo.target_kl",
    }
)
"""What SB3 reads anew for each rollout and each update. Buffers, networks and optimizers are built once."""

_MAX_STEP = 10**12
_WHOLE = re.compile(r"\d{1,13}")
_EXAMPLE = "write env steps from 0 on, such as {0: …, 40960: …}"


def may_change(key: str) -> bool:
    """Whether a dotted agent config key may have another value from one update to the next."""
    return key in _MAY_CHANGE


def takes_whole_keys(key: str) -> bool:
    """Whether a mapping at a dotted key of a config may have whole numbers as keys, which are then env steps."""
    names = key.split(".")
    return bool(key) and names[-1] not in SECTIONS and not any(name.endswith("kwargs") for name in names)


def is_stepped(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value of a config or its record is a mapping of env steps to values."""
    return isinstance(value, Mapping) and bool(value) and all(_WHOLE.fullmatch(str(step)) for step in value)


def value_at(value: Any, env_steps: int) -> Any:
    """The value in force for a rollout that begins at `env_steps`; a value that does not change is always in force."""
    if not is_stepped(value):
        return value
    return next(each for step, each in reversed(_steps(value)) if step <= env_steps)


def last_value(value: Any) -> Any:
    """The value from the last change on."""
    return value_at(value, _MAX_STEP)


def every_value(value: Any) -> tuple[Any, ...]:
    """Each value that is ever in force, in the order of env steps."""
    return tuple(each for _, each in _steps(value)) if is_stepped(value) else (value,)


def with_step(value: Any, env_steps: int, new: Any) -> Any:
    """The value of a key that is `value` before `env_steps` and `new` from there on, in its canonical form.

    Raises ValueError for a linear schedule, which has no steps, and for env steps before the last change.
    """
    if isinstance(value, str) or isinstance(new, str):
        raise ValueError(
            f"{value if isinstance(value, str) else new} is a linear schedule, which cannot change at a step"
        )
    before = _steps(value) if is_stepped(value) else [(0, value)]
    if env_steps < before[-1][0]:
        raise ValueError(f"the value changes at env step {before[-1][0]}, which is after {env_steps}")
    kept = [(step, each) for step, each in before if step < env_steps]
    return _canonical({str(step): each for step, each in (*kept, (env_steps, new))})


def in_words(value: Mapping[str, Any], write: Callable[[Any], str] = str) -> str:
    """`0.0003 → 0.00024 (40,960)`: the values, each with the env step from which it counts. write: a value as text."""
    (_, first), *later = _steps(value)
    return " → ".join([write(first), *(f"{write(each)} ({step:,})" for step, each in later)])


def _steps(value: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Env steps and values, in the order of env steps, which a record need not have kept."""
    return sorted(((int(step), each) for step, each in value.items()), key=lambda item: item[0])


def _checked(value: Any) -> Any:
    """Check the env steps of a mapping from a config file."""
    if not value:
        raise ValueError(f"is an empty mapping; {_EXAMPLE}, or one value")
    last = -1
    for key, each in value.items():
        if not _WHOLE.fullmatch(key) or int(key) > _MAX_STEP:
            raise ValueError(f"{key[:40]!r} is not a number of env steps; {_EXAMPLE}")
        step = int(key)
        if last < 0 and step != 0:
            raise ValueError(f"the first env step must be 0, got {step}; write the value from the start too, as 0: …")
        if step <= last:
            raise ValueError(f"the env steps must rise, got {step} after {last}; put them in order, each once")
        if isinstance(each, str):
            raise ValueError(
                f"{each[:40]!r} at env step {step} is no number; write numbers, or one linear schedule alone"
            )
        last = step
    return {str(int(key)): each for key, each in value.items()}


def _canonical(value: Any) -> Any:
    """Without steps that change nothing; a mapping that has no other is its one value. Equal configs so hash equal."""
    if not isinstance(value, Mapping):
        return value
    kept: dict[str, Any] = {}
    for step, each in _steps(value):
        if not kept or each != next(reversed(kept.values())):
            kept[str(step)] = each
    return kept if len(kept) > 1 else kept["0"]


def _form(value: Any) -> str:
    return "<steps>" if isinstance(value, Mapping) else "<value>"


Changing = Annotated[
    Annotated[Value, Tag("<value>")] | Annotated[dict[str, Value], BeforeValidator(_checked), Tag("<steps>")],
    Discriminator(_form),
    AfterValidator(_canonical),
]
"""A value, or a mapping of env steps to values; the key of such a value may change."""
