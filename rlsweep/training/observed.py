"""SB3's algorithms, unchanged but for three places where a run looks in: progress, updates, and their minibatches."""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm


class Observer(Protocol):
    """What an observed model asks and tells while it learns."""

    def progress_remaining(self) -> float:
        """Share of the budget that is left, from 1 to 0; asked after each rollout, before its update."""
        ...

    def update(self, train: Callable[[], None]) -> None:
        """Call `train`, which is SB3's update over one rollout, and see to what belongs before and after it."""
        ...

    def step(self) -> None:
        """An optimizer step is about to be taken; raises what is to end the update."""
        ...


@cache
def observed(algorithm: type[OnPolicyAlgorithm]) -> type[OnPolicyAlgorithm]:
    """`algorithm`, open to an observer: give the model one by `observe` before `learn`.

    SB3 counts progress in env steps alone and offers no callback between an update and the next rollout. What it
    saves names no class, so stock `algorithm.load` opens an observed model's checkpoint.
    """

    class Observed(algorithm):  # type: ignore[misc, valid-type]
        observer: Observer

        def _update_current_progress_remaining(self, *_: Any) -> None:
            self._current_progress_remaining = self.observer.progress_remaining()

        def train(self) -> None:
            self.observer.update(super().train)

        def _before_step(self) -> None:
            self.observer.step()

        def _excluded_save_params(self) -> list[str]:
            return [*super()._excluded_save_params(), "observer"]

    return Observed


def observe(model: OnPolicyAlgorithm, observer: Observer) -> None:
    """Let `observer` look in on a model whose class `observed` made."""
    vars(model)["observer"] = observer
    # the fast engine takes its steps without the optimizer, and says so by `_before_step`
    model.policy.optimizer.register_step_pre_hook(lambda *_: observer.step())
