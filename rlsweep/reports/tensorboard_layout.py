"""The layout of TensorBoard's Custom Scalars tab, as `dashboards/tensorboard` describes it."""

import re
from importlib.resources import files

import yaml
from google.protobuf.json_format import ParseDict
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout


def layout() -> Layout:
    """Read it, with whole tags as runs write them."""
    text = (files("rlsweep.reports") / "tensorboard_layout.yaml").read_text("utf-8")
    return ParseDict(yaml.safe_load(text), Layout())


def as_patterns(plain: Layout) -> Layout:
    """Make it one that shows those tags alone.

    TensorBoard takes a tag for a pattern of its beginning: `train/entropy` would also show `train/entropy_loss`.
    """
    patterns = Layout()
    patterns.CopyFrom(plain)
    for category in patterns.category:
        for chart in category.chart:
            chart.multiline.tag[:] = [f"{re.escape(tag)}$" for tag in chart.multiline.tag]
    return patterns
