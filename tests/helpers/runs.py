"""Records of runs that no database has."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rlsweep.runs import Budget, RunStatus, TrainingRun


def run(
    status: RunStatus = RunStatus.RUNNING, *, of_episodes: int | None = None, of_steps: int | None = None, **given: Any
) -> TrainingRun:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "trial_key": None,
        "agent_id": "a",
        "algorithm": "PPO",
        "version": 1,
        "sweep_variant": None,
        "config_name": "A",
        "config_short_name": "a_v1",
        "config_path": "a_v1.yaml",
        "config": {},
        "mode": "smoke",
        "environment": None,
        "budget": Budget(episodes=of_episodes, total_timesteps=of_steps),
        "sweep_name": None,
        "seconds": None,
        "error_text": None,
        "config_hash": "",
        "seed": 0,
        "id": uuid4(),
        "sweep_id": None,
        "status": status,
        "stop_requested": False,
        "attempt": 2,
        "created_at": now,
        "heartbeat_at": now,
        "started_at": now - timedelta(days=3),  # of the first attempt: it says nothing of the pace
        "ended_at": None,
        "episodes": 0,
        "updates": 0,
        "env_steps": 0,
        "mean_reward": None,
        "win_rate": None,
        "mean_length": None,
        "steps_per_second": None,
        "end_reason": None,
        "error": None,
        "weights_from": None,
        "begins_anew": False,
        "actor": None,
        "pause_at": None,
        "rung": None,
        "metadata": {},
        "note": "",
        "tags": (),
        "note_version": 0,
    }
    values |= given
    spent = ((values["episodes"], of_episodes), (values["env_steps"], of_steps))
    shares = [done / allowed for done, allowed in spent if allowed]
    return TrainingRun(**values, progress=max(shares) if shares else None)
