"""The worlds of the catalogue whose contexts and actions can be counted, for laws that compare with exact tables, and the others."""

from confoundry.causal import SCM, NotDiscreteError, tables
from confoundry.envs import members


def is_countable(model: SCM) -> bool:
    """Whether a model has tables."""
    try:
        for name in model.variables:
            tables(model).support(name)
    except NotDiscreteError:
        return False
    return True


COUNTABLE: dict[str, SCM] = {text: model for text, model in members() if is_countable(model)}
CONTINUOUS: dict[str, SCM] = {text: model for text, model in members() if text not in COUNTABLE}
