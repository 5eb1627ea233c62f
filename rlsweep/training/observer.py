"""SB3's algorithms with four hooks for an observer: rollouts, remaining progress, updates, and optimizer steps."""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm


class Observer(Protocol):
    """Receives the hooks of a model while it learns."""

    def begin_rollout(self) -> None:
        """Called before each rollout, before anything of it is drawn from a random generator."""
        ...

    def progress_remaining(self) -> float:
        """Return the remaining fraction of the budget, from 1 to 0; called after each rollout, before its update."""
        ...

    def update(self, train: Callable[[], None]) -> None:
        """Call `train`, SB3's update on one rollout, with any work that belongs before and after it."""
        ...

    def step(self) -> None:
        """Called before each optimizer step; an exception ends the update."""
        ...


@cache
def with_observer(algorithm: type[OnPolicyAlgorithm]) -> type[OnPolicyAlgorithm]:
    """Subclass `algorithm` to call an observer; set it with `observe` before `learn`.

    Needed because SB3 measures progress only in env steps and has no callback between an update and the next rollout:
    `on_rollout_start` comes after the draw of gSDE's noise.
    A checkpoint does not name its class, so stock `algorithm.load` opens it.
    """

    class WithObserver(algorithm):  # type: ignore[misc, valid-type]
        observer: Observer

        def _update_current_progress_remaining(self, *_: Any) -> None:
            self._current_progress_remaining = self.observer.progress_remaining()

        def collect_rollouts(self, *arguments: Any, **keywords: Any) -> bool:
            self.observer.begin_rollout()
            is_complete: bool = super().collect_rollouts(*arguments, **keywords)
            return is_complete

        def train(self) -> None:
            self.observer.update(super().train)

        def _before_step(self) -> None:
            self.observer.step()

        def _excluded_save_params(self) -> list[str]:
            return [*super()._excluded_save_params(), "observer"]

    return WithObserver


def observe(model: OnPolicyAlgorithm, observer: Observer) -> None:
    """Set the observer of a model whose class comes from `with_observer`."""
    vars(model)["observer"] = observer
    # the fast engine does not use the optimizer's step; it calls `_before_step` itself
    model.policy.optimizer.register_step_pre_hook(lambda *_: observer.step())
