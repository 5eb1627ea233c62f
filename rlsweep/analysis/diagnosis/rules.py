"""The rules: what is wrong with a run's training, as far as the values of its updates show it, and what helps.

What cannot be seen in these values, such as a gamma that is too small, has no rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rlsweep.analysis.diagnosis import conditions
from rlsweep.analysis.diagnosis.conditions import Observation
from rlsweep.analysis.diagnosis.series import Settings, UpdateSeries

FEWEST_UPDATES = 8
"""Fewer show the start of training only, in which every value may be far from usual."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cure:
    """A change that helps: `lower learning_rate`. key: dotted, as in agent configs; None where it is no such key.

    text_if_set: instead, where target_kl is set
    """

    text: str
    key: str | None = None
    text_if_set: str | None = None

    def words(self, settings: Settings) -> str | None:
        """The cure under these settings; None for an algorithm that does not have the key."""
        if self.key is not None and self.key not in settings.keys:
            return None
        return self.text_if_set if self.text_if_set and settings.target_kl is not None else self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A row of the table.

    name: for programs
    title: for headings
    holds: the condition
    cures: of those whose key the algorithm has, all are named
    source: where the condition is from
    unless: earlier rules that explain it; it is left out where one of them holds
    needs: updates below which it is not asked
    """

    name: str
    title: str
    holds: Callable[[UpdateSeries], Observation | None]
    cures: tuple[Cure, ...]
    source: str
    unless: tuple[str, ...] = ()
    needs: int = FEWEST_UPDATES


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A rule that holds for a run. since: number of the update from which; sentence: the fact and the cure."""

    rule: str
    title: str
    since: int
    sentence: str
    source: str


LOWER_RATE = Cure(text="lower learning_rate", key="learning_rate")
RAISE_RATE = Cure(text="raise learning_rate", key="learning_rate")
RAISE_ENT_COEF = Cure(text="raise ent_coef", key="ppo.ent_coef")
SET_TARGET_KL = Cure(text="set target_kl", key="ppo.target_kl", text_if_set="lower target_kl")
FEWER_EPOCHS = Cure(text="lower n_epochs", key="n_epochs")
NORMALIZE = Cure(text="set normalize_rewards: true in the training config")


def findings(series: UpdateSeries) -> tuple[Finding, ...]:
    """Every rule that holds, in the order of the table."""
    found: list[Finding] = []
    for rule in RULES:
        if series.updates < rule.needs or any(each.rule in rule.unless for each in found):
            continue
        seen = rule.holds(series)
        if seen is not None:
            cures = [words for cure in rule.cures if (words := cure.words(series.settings)) is not None]
            found.append(
                Finding(
                    rule=rule.name,
                    title=rule.title,
                    since=seen.since,
                    sentence=f"{seen.what}: {_listed(cures)}.",
                    source=rule.source,
                )
            )
    return tuple(found)


def _listed(texts: list[str]) -> str:
    return " or ".join(part for part in (", ".join(texts[:-1]), texts[-1]) if part)


_NUTS = "Schulman, The Nuts and Bolts of Deep RL Research (2016)"
_OWN = "rlsweep's own limit, set on runs that learned"

RULES: tuple[Rule, ...] = (
    Rule(
        name="not_finite",
        title="NaN or infinite",
        holds=conditions.not_finite,
        cures=(
            LOWER_RATE,
            Cure(text="lower max_grad_norm", key="ppo.max_grad_norm"),
            Cure(text="check the scale of the rewards"),
        ),
        source="a network with a weight that is not finite cannot recover",
        needs=0,
    ),
    Rule(
        name="entropy_collapsed",
        title="Entropy collapsed",
        holds=conditions.entropy_collapsed,
        cures=(LOWER_RATE, RAISE_ENT_COEF, SET_TARGET_KL),
        source=f"{_NUTS}: an early fall of entropy ends exploration; 5% of the first updates is rlsweep's own limit",
    ),
    Rule(
        name="kl_high",
        title="Updates too large",
        holds=conditions.kl_high,
        cures=(LOWER_RATE, FEWER_EPOCHS, SET_TARGET_KL, Cure(text="lower clip_range", key="ppo.clip_range")),
        source="PPO's paper tunes for a KL of 0.003 to 0.03 (Schulman et al. 2017, table 1), Spinning Up for 0.01 to "
        "0.05",
    ),
    Rule(
        name="clip_range_small",
        title="clip_range too small",
        holds=conditions.clip_range_small,
        cures=(Cure(text="raise clip_range, usually 0.1 to 0.3", key="ppo.clip_range"),),
        source="PPO's paper compares clip_range 0.1, 0.2 and 0.3 (Schulman et al. 2017, table 1)",
    ),
    Rule(
        name="clipped_much",
        title="Most samples clipped",
        holds=conditions.clipped_much,
        unless=("kl_high",),
        cures=(LOWER_RATE, FEWER_EPOCHS, Cure(text="raise batch_size", key="batch_size")),
        source=_OWN,
    ),
    Rule(
        name="cut_short",
        title="Updates cut short",
        holds=conditions.cut_short,
        cures=(Cure(text="raise target_kl", key="ppo.target_kl"), LOWER_RATE),
        source="SB3 ends an update where KL exceeds 1.5 × target_kl; PPO's paper tunes for 0.003 to 0.03. A tenth is "
        "rlsweep's own limit",
    ),
    Rule(
        name="entropy_stuck",
        title="Entropy never falls",
        holds=conditions.entropy_stuck,
        cures=(Cure(text="lower ent_coef, usually 0 to 0.01", key="ppo.ent_coef"),),
        source="PPO's paper uses 0 for MuJoCo and 0.01 for Atari; the run's own first updates are the reference, for "
        "the largest entropy under action masks is not known",
    ),
    Rule(
        name="rewards_too_large",
        title="Rewards too large",
        holds=conditions.rewards_too_large,
        cures=(NORMALIZE, Cure(text="lower vf_coef", key="ppo.vf_coef")),
        source="SB3 clips the gradient of policy and value network together, by max_grad_norm",
    ),
    Rule(
        name="nothing_moves",
        title="The policy hardly moves",
        holds=conditions.nothing_moves,
        unless=("entropy_collapsed", "clip_range_small", "cut_short", "entropy_stuck", "rewards_too_large"),
        cures=(RAISE_RATE, Cure(text="raise n_epochs", key="n_epochs")),
        source=_OWN,
    ),
    Rule(
        name="value_loss_explodes",
        title="Value loss explodes",
        holds=conditions.value_loss_explodes,
        cures=(NORMALIZE, LOWER_RATE, Cure(text="check whether rewards grow during training")),
        source=_OWN,
    ),
    Rule(
        name="value_worse_than_constant",
        title="Value network worse than a constant",
        holds=conditions.value_worse_than_constant,
        cures=(NORMALIZE, LOWER_RATE, Cure(text="raise n_steps", key="n_steps")),
        source=f"explained variance below 0 is worse than a constant ({_NUTS}; SB3's logger); -1 is rlsweep's own "
        "limit",
    ),
    Rule(
        name="value_unlearned",
        title="Value network learns nothing",
        holds=conditions.value_unlearned,
        unless=("entropy_collapsed", "cut_short", "rewards_too_large", "nothing_moves", "value_loss_explodes"),
        cures=(Cure(text="raise vf_coef", key="ppo.vf_coef"), RAISE_RATE, Cure(text="check what the agent observes")),
        source=f"explained variance 0 is that of a constant ({_NUTS}; SB3's logger)",
    ),
)
