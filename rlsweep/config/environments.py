"""The environment families a config may name, and a check of an id's form that imports none of them.

The family itself checks whether the game, id or class exists, in the child process of a plan.
"""

import importlib.util
import os
import re
from dataclasses import dataclass

from rlsweep.checkpoint_format import SUFFIX
from rlsweep.config.known_environments import installation
from rlsweep.config.nearest import suggestion
from rlsweep.config.training import SELF, EnvironmentSpec, SelfPlay
from rlsweep.storage import is_uri

_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_OPPONENT = re.compile(r"random|mcts(:[1-9][0-9]{0,6})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentFamily:
    """One family.

    target: "module:function" of its maker, `make(spec: EnvironmentSpec, *, seed: int) -> gymnasium.Env`
    prefix: start of all of its ids, and of no id of another family; empty if it has none
    pattern: matches a whole id
    form: the form of an id, for messages
    """

    target: str
    prefix: str
    pattern: re.Pattern[str]
    form: str


FAMILIES: tuple[EnvironmentFamily, ...] = (
    EnvironmentFamily(
        target="rlsweep.envs.open_spiel:make",
        prefix="open_spiel/",
        pattern=re.compile(r"open_spiel/[A-Za-z0-9_]+(\(.*\))?"),
        form="open_spiel/<game>",
    ),
    EnvironmentFamily(
        target="rlsweep.envs.pettingzoo:make",
        prefix="pettingzoo/",
        pattern=re.compile(r"pettingzoo/[A-Za-z_]\w*([./][A-Za-z_]\w*)*"),
        form="pettingzoo/<module>",
    ),
    EnvironmentFamily(
        target="rlsweep.envs.custom:make",
        prefix="",
        pattern=_CLASS,
        form="<module>:<Class>",
    ),
    EnvironmentFamily(
        target="rlsweep.envs.gymnasium:make",
        prefix="",
        pattern=re.compile(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)*:)?([\w-]+/)?[\w.-]+"),
        form="a Gymnasium id",
    ),
)
"""In matching order: the first family whose prefix and pattern match gets the id."""


def family_of(environment_id: str) -> EnvironmentFamily:
    """Return the family of an environment id; raise ValueError with the possible forms if none matches."""
    for family in FAMILIES:
        if family.pattern.fullmatch(environment_id):
            return family
        if family.prefix and environment_id.startswith(family.prefix):
            break
    forms = ", ".join(family.form for family in FAMILIES)
    raise ValueError(f"unknown environment {environment_id!r}; write {forms}")


def environment_problems(spec: EnvironmentSpec) -> list[tuple[str, str]]:
    """Return the problems of an environment spec that show without importing it, each as (key, problem)."""
    problems = []
    try:
        family_of(spec.id)
        if ":" in spec.id.partition("(")[0] and (problem := module_problem(spec.id)):
            problems.append(("environment.id", problem))
    except ValueError as exc:
        problems.append(("environment.id", str(exc)))
    for index, wrapper in enumerate(spec.wrappers):
        if problem := _wrapper_problem(wrapper.id):
            problems.append((f"environment.wrappers[{index}].id", problem))
    if spec.self_play is not None and (spec.wrappers or spec.frame_stack > 1):
        reason = "the run's own policies play the game without wrappers and frame_stack"
        problems.append(("environment.opponent", f"{reason}; remove them, or take another opponent"))
    elif isinstance(spec.opponent, str) and (problem := opponent_problem(spec.opponent, may_be_self=True)):
        problems.append(("environment.opponent", problem))
    return problems


def opponent_problem(opponent: str, *, may_be_self: bool = False) -> str | None:
    """Return the problem of an opponent's name, or None. A checkpoint's path must exist here; a URI is not checked."""
    if _OPPONENT.fullmatch(opponent) or (may_be_self and opponent == SELF):
        return None
    if not opponent.endswith(SUFFIX):
        forms = f"random, mcts, mcts:<simulations>{', self' if may_be_self else ''}"
        near = suggestion(opponent, ("random", "mcts", SELF) if may_be_self else ("random", "mcts"))
        return f"must be {forms} or a checkpoint ending in .zip, got {opponent!r}{near}"
    if not is_uri(opponent) and not os.path.isfile(os.path.expanduser(opponent)):
        return f"checkpoint not found: {opponent}"
    return None


def is_checkpoint(opponent: str | SelfPlay | None) -> bool:
    """Whether an opponent is a checkpoint's path or URI."""
    return isinstance(opponent, str) and opponent.endswith(SUFFIX)


def _wrapper_problem(wrapper: str) -> str | None:
    if not _CLASS.fullmatch(wrapper):
        return f"must be <module>:<Class>, such as gymnasium.wrappers:TimeAwareObservation, got {wrapper!r}"
    return module_problem(wrapper)


def module_problem(reference: str) -> str | None:
    """The problem of `module:Class` if the module is not found here; it is not imported."""
    module = reference.partition(":")[0].partition(".")[0]
    if _is_installed(module):
        return None
    return f"module {module!r} of {reference!r} not found; {installation(module)}"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # the module has no spec, such as __main__
        return False
