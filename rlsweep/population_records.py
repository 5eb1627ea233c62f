"""The records of populations: which member became a copy of which other one, and what was changed then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class NewExploit:
    """A member of a population becomes a copy of another one, before it is on record.

    run_id, source_run_id: the member, and whose copy it becomes
    env_steps: of both, where the copy is made; the member's own go on from there
    source_uri, source_sha256: the checkpoint that is copied
    changes: by dotted key, the source's value and the new one; without those that stay
    config, config_hash: of the member from there on: the source's, with the changes
    """

    run_id: UUID
    source_run_id: UUID
    env_steps: int
    source_uri: str
    source_sha256: str
    changes: dict[str, tuple[Any, Any]]
    config: dict[str, Any]
    config_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Exploit:
    """A copy on record, with what `NewExploit` has.

    source_run_id: None if the source's record was deleted
    decision: number of the decision
    attempt: the member's attempts so far; the next one begins with the copy
    episodes, updates: of the member so far; they go on
    had_failed: whether the member had failed on its way to `env_steps`, and so never came there itself
    config_before: the member's config until then
    """

    run_id: UUID
    source_run_id: UUID | None
    env_steps: int
    made_at: datetime
    decision: int
    attempt: int
    episodes: int
    updates: int
    had_failed: bool
    source_uri: str
    source_sha256: str
    changes: dict[str, tuple[Any, Any]]
    config_before: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class PopulationStanding:
    """How far a population has come.

    copies: how often a member became a copy; the rest is of the newest copy, None before it
    member, source: numbers in the order of the plan; source is None if its record was deleted
    """

    copies: int
    member: int | None
    source: int | None
    env_steps: int | None
    changes: dict[str, tuple[Any, Any]] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class IntervalCheckpoint:
    """A checkpoint that a run wrote at the end of an interval."""

    run_id: UUID
    env_steps: int
    uri: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyToMake:
    """What a member that became a copy begins its next attempt with.

    source_uri, source_sha256: the checkpoint to copy
    env_steps, episodes, updates, seconds, best_mean_reward: the member's own progress, which goes on
    """

    source_uri: str
    source_sha256: str
    env_steps: int
    episodes: int
    updates: int
    seconds: float
    best_mean_reward: float | None
