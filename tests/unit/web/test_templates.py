"""Each template uses what its declared context has, and nothing else."""

import dataclasses

import pytest
from jinja2 import meta

from rlsweep.web import pages
from rlsweep.web.templating import environment


def used_by(template: str) -> set[str]:
    """The variables that a template, or one that it extends or includes, takes from its context."""
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, template)
    tree = environment.parse(source)
    used = meta.find_undeclared_variables(tree) - set(environment.globals)
    for other in meta.find_referenced_templates(tree):
        assert other is not None, f"{template} names a template by a variable"
        used |= used_by(other)
    return used


@pytest.mark.parametrize("template", sorted(pages.TEMPLATES))
def test_a_template_keeps_to_its_context(template: str) -> None:
    fields = {field.name for field in dataclasses.fields(pages.TEMPLATES[template])}
    assert used_by(template) <= fields


def test_every_template_has_a_context() -> None:
    assert environment.loader is not None
    whole = {name for name in environment.loader.list_templates() if name not in _extended()}
    assert whole == set(pages.TEMPLATES)


def _extended() -> set[str]:
    """Those that others extend or include."""
    assert environment.loader is not None
    found: set[str] = set()
    for name in environment.loader.list_templates():
        source, _, _ = environment.loader.get_source(environment, name)
        found |= {other for other in meta.find_referenced_templates(environment.parse(source)) if other is not None}
    return found


def test_what_is_put_in_is_escaped() -> None:
    template = environment.from_string("<a title='{{ name }}'>{{ name }}</a>")
    assert template.render(name="<b>'\"&") == "<a title='&lt;b&gt;&#39;&#34;&amp;'>&lt;b&gt;&#39;&#34;&amp;</a>"
