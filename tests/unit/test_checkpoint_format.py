import pytest

from rlsweep import checkpoint_format as fmt


def test_names_on_disk_never_change() -> None:
    """Files that older versions wrote hold them."""
    assert (fmt.SUFFIX, fmt.BEST_NAME, fmt.UNFINISHED_SUFFIX) == (".zip", "best.zip", ".part")
    assert (fmt.POLICY_MEMBER, fmt.SETTINGS_MEMBER) == ("policy.pth", "data")
    assert (fmt.RECORD_MEMBER, fmt.OBSERVATIONS_KEY) == ("rlsweep.json", "observations")
    assert (fmt.STATISTICS_MEMBER, fmt.SNAPSHOT_MEMBER) == ("vecnormalize.pkl", "boundary.pkl")


@pytest.mark.parametrize(
    ("attempt", "name"), [(1, "episode_3_step_24.zip"), (2, "episode_3_step_24_attempt_2.zip")], ids=str
)
def test_a_numbered_name_is_read_back(attempt: int, name: str) -> None:
    assert fmt.numbered_name(episodes=3, env_steps=24, attempt=attempt) == name
    assert fmt.parse_numbered_name(name) == fmt.NumberedName(env_steps=24, attempt=attempt)


@pytest.mark.parametrize("name", ["best.zip", "episode_3_step_24.zip.part", "episode_3.zip", "my_episode_3_step_2.zip"])
def test_other_names_are_no_numbered_checkpoints(name: str) -> None:
    assert fmt.parse_numbered_name(name) is None
