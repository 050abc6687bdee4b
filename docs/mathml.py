"""Formulas as MathML: browsers draw it themselves, with no script and no network."""

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml


def visit_math(writer, node):
    """Write a formula in a line of text."""
    writer.body.append(tex2mathml(node.astext()))
    raise SkipNode


def visit_displaymath(writer, node):
    """Write a formula that stands by itself."""
    formula = " ".join(node.astext().split())
    writer.body.append(f'<div class="math">{tex2mathml(formula, as_block=True)}</div>')
    raise SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
