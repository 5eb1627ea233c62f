"""Which kind of foreign file a config file is."""

import re
from collections.abc import Mapping
from typing import Any

from rlsweep.config.foreign.blocks import Answer, file_part
from rlsweep.config.foreign.optuna import is_optuna, optuna_answer
from rlsweep.config.foreign.texts import json_with_comments, several_documents
from rlsweep.config.foreign.wandb import is_wandb, wandb_answer
from rlsweep.config.foreign.zoo import is_zoo, zoo_answer


def answer_to_data(data: Mapping[str, Any], stem: str) -> Answer | None:
    """What to write instead of a whole file of another tool; None if it is none that is known.

    stem: the file's name without its extension
    """
    if is_wandb(data):
        return wandb_answer(data)
    if is_zoo(data):
        return zoo_answer(data, stem)
    return optuna_answer() if is_optuna(data) else None


def answer_to_text(text: str, problem: str, *, is_json: bool, stem: str) -> Answer | None:
    """What to write instead of a text that cannot be read because of `problem`; None if its kind is not known."""
    if not is_json:
        return several_documents(text) if "but found another document" in problem else None
    found = json_with_comments(text)
    if found is None:
        return None
    data, as_yaml = found
    if isinstance(data, Mapping) and (answer := answer_to_data(data, stem)) is not None:
        return answer
    what = "comments" if re.search(r"//|/\*", text) else "commas before a closing bracket"
    file = f"{file_part(stem)}.yaml"
    return Answer(f"JSON has no {what}; write it to {file}, since YAML has them", (f"# {file}\n{as_yaml}",))
