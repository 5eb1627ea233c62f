"""Write a run's TensorBoard log: scalars under the catalogue's tags, and HParams to compare runs."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import KVWriter, filter_excluded_keys
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard.summary import hparams

from rlsweep.config.run import RunConfig
from rlsweep.config.stepped import in_words, is_stepped, last_value
from rlsweep.errors import CheckpointError
from rlsweep.metrics import BY_NAME
from rlsweep.runs import Episode, Evaluation, EvaluationKind
from rlsweep.training.event_file import EventFile

_COMPARED = ("mean_reward", "win_rate", "mean_length", "policy_loss", "value_loss", "entropy")
_COMPARED_EVALUATED = ("eval_mean_reward", "eval_win_rate")
_COMPARED_SCORED = ("score_mean_reward", "score_win_rate")


class TensorBoardLog(KVWriter):
    """The event file of an attempt. It is an output format of SB3's logger, with methods for all other events."""

    def __init__(self, folder: Path, config: RunConfig, *, first_step: int, file_bytes: int | None = None) -> None:
        """Open the file. Events of earlier attempts after `first_step`, where this attempt begins, are hidden.

        file_bytes: size at which a flush starts a new file; None for no limit
        """
        self._folder = folder
        self._file_bytes = file_bytes
        self._open()
        # TensorBoard drops earlier events with this step or a later one
        self._file.add(
            Event(wall_time=time.time(), step=first_step + 1, session_log=SessionLog(status=SessionLog.START))
        )
        experiment, session_start, self._session_end = hparams(  # type: ignore[no-untyped-call]
            hyperparameters(config), {BY_NAME[name].tag: 0.0 for name in _compared(config)}
        )
        self._add(experiment, 0)
        self._add(session_start, 0)
        self._write()

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Write SB3's log values, one point per scalar, and the episodes added before."""
        values = filter_excluded_keys(key_values, key_excluded, "tensorboard")
        self._add_scalars(
            ((tag, float(value)) for tag, value in values.items() if isinstance(value, int | float | np.number)), step
        )
        self._write()

    def add_episodes(self, episodes: Sequence[Episode], *, seconds: float) -> None:
        """Add each episode's reward and length at the time it ended; `seconds` is the run's current time.

        They are written with the next log values, or by `flush`.
        """
        started = time.time() - seconds
        for episode in episodes:
            self._add_scalars(
                ((BY_NAME["reward"].tag, episode.reward), (BY_NAME["length"].tag, episode.length)),
                episode.env_steps,
                wall_time=started + episode.seconds,
            )

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Write the mean reward, and the win rate if there is one, under the tags of its kind."""
        prefix = "score" if evaluation.kind is EvaluationKind.SCORE else "eval"
        scalars = [(BY_NAME[f"{prefix}_mean_reward"].tag, evaluation.mean_reward)]
        if evaluation.win_rate is not None:
            scalars.append((BY_NAME[f"{prefix}_win_rate"].tag, evaluation.win_rate))
        self._add_scalars(scalars, evaluation.env_steps)
        self._write()

    def end_session(self) -> None:
        """Mark the run as finished; without this, HPARAMS shows it as running."""
        self._add(self._session_end, 0)

    def flush(self) -> None:
        """Write all events to the file; if it has reached its size, start another one."""
        self._write()
        if self._file_bytes is not None and self._file.bytes >= self._file_bytes:
            self.close()
            self._open()

    def close(self) -> None:
        """Write all events and close the file."""
        with self._translated_errors():
            self._file.close()

    def _open(self) -> None:
        with self._translated_errors():
            self._file = EventFile(self._folder)

    def _write(self) -> None:
        with self._translated_errors():
            self._file.flush()

    def _add_scalars(self, scalars: Iterable[tuple[str, float]], step: int, *, wall_time: float | None = None) -> None:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars]
        self._add(Summary(value=values), step, wall_time=wall_time)

    def _add(self, summary: Summary, step: int, *, wall_time: float | None = None) -> None:
        self._file.add(Event(wall_time=wall_time or time.time(), step=step, summary=summary))

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise CheckpointError(
                f"TensorBoard's log cannot be written to {self._folder}: {exc.strerror or exc}. "
                "Free some space there, or point RLSWEEP_STORAGE elsewhere."
            ) from exc


def hyperparameters(config: RunConfig) -> dict[str, bool | float | str]:
    """The columns of TensorBoard's HPARAMS tab, under flat names such as `ppo.clip_range`."""
    agent = config.agent.model_dump(
        mode="json", exclude={"agent_id", "name", "version", "sweep_variant", "description", "exploration"}
    )
    return {
        "config": config.agent.short_name,
        "seed": config.seed,
        "environment": config.training.environment.id,
        "n_envs": config.training.n_envs,
        **dict(_flat(agent)),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, bool | float | str]]:
    for key, value in values.items():
        if key in ("net_arch", "features_extractor_kwargs"):
            yield f"{prefix}{key}", str(value)
        elif is_stepped(value):  # a column of numbers stays one: it has the value at the end
            if (last := last_value(value)) is not None:
                yield f"{prefix}{key}", last
            yield f"{prefix}{key} by env steps", in_words(value)
        elif isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value


def _compared(config: RunConfig) -> tuple[str, ...]:
    evaluated = _COMPARED_EVALUATED if config.evaluates else ()
    return _COMPARED + evaluated + (_COMPARED_SCORED if config.score_evaluation is not None else ())
