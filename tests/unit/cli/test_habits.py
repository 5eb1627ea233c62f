"""What users of other tools type is answered with the command to type here, and starts nothing."""

import pytest

from rlsweep.cli import main


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("train tiny_v1.yaml", "Type: rlsweep train --agent-config tiny_v1.yaml"),
        (
            "train tiny_v1.yaml --seed 3 --mode smoke",
            "Type: rlsweep train --agent-config tiny_v1.yaml --seed 3 --mode smoke",
        ),
        ("train a.yaml b.yaml", "Type: rlsweep submit a.yaml b.yaml"),
        ("train 1a2b3c4d", "Type: rlsweep train --resume 1a2b3c4d"),
        ("train runs/best.zip", "Type: rlsweep train --resume runs/best.zip"),
        ("tiny_v1.yaml --seed 3", "Type: rlsweep train --agent-config tiny_v1.yaml --seed 3 (or, to compare several: "),
        ("a_*.yaml", "Type: rlsweep submit 'a_*.yaml'"),
        ("sweep a_*.yaml --seeds 3", "There is no command 'sweep'. Type: rlsweep submit 'a_*.yaml' --seeds 3"),
        ("tune", "Type: rlsweep submit 'config/agents/*.yaml'"),
        ("run a.yaml", "Type: rlsweep train --agent-config a.yaml (or, to compare several: rlsweep submit a.yaml)"),
        ("start a.yaml b.yaml", "Type: rlsweep submit a.yaml b.yaml"),
        ("learn a.yaml", "Type: rlsweep train --agent-config a.yaml"),
        ("evaluate 1a2b --episodes 3", "Type: rlsweep eval 1a2b --episodes 3"),
        ("cancel latest", "Type: rlsweep stop latest"),
        ("help", "Type: rlsweep --help"),
        ("train --config a.yaml", "train has no flag --config. Type: rlsweep train --agent-config a.yaml"),
        ("submit --config a.yaml", "submit takes its configs without a flag. Type: rlsweep submit a.yaml"),
        ("train --agent-config a.yaml --lr=1e-3", "Type: rlsweep train --agent-config a.yaml --learning-rate 1e-3"),
        ("submit a.yaml --lr 1e-3", "Type: rlsweep submit a.yaml --set learning_rate=1e-3"),
        ("plan a.yaml --gae-lambda 0.9", "Type: rlsweep plan a.yaml --set ppo.gae_lambda=0.9"),
        ("plan a.yaml --env CartPole-v1", "Type: rlsweep plan a.yaml --set environment=CartPole-v1"),
        ("plan a.yaml --n-timesteps 10", "Type: rlsweep plan a.yaml --total-timesteps 10"),
        ("plan a.yaml --num-episodes 10 --seeds 2", "Type: rlsweep plan a.yaml --episodes 10 --seeds 2"),
        ("submit a.yaml --seed 7", "Type: rlsweep submit a.yaml --set seed=7"),
        ("submit a.yaml --n-jobs 2", "Type: rlsweep submit a.yaml --max-concurrent 2"),
        ("plann a.yaml", "No such command 'plann'. Did you mean 'plan'?"),
        ("plan a.yaml --nonsense", "No such option: --nonsense"),
    ],
)
def test_a_habit_is_answered_with_what_to_type(typed: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed.split(), {}) == 2
    assert answer in capsys.readouterr().err
