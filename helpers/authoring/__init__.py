"""What authors and teachers run, each as `python -m helpers.authoring.<name>`. No chapter imports any of it."""

import gc
import sys

# Imports leave hundreds of thousands of objects that stay. Python's collector would look through all of them several
# times on the way: about a seventh of the processor's time of a start with PyTorch, measured in three.
COLLECT_AFTER = 20_000
gc.set_threshold(COLLECT_AFTER)

# At its import jsonschema has this package parse a grammar of international addresses, which nothing here holds. Left
# out, as where it isn't installed, JupyterLab, make refresh and each process of pytest start in half the time.
sys.modules.setdefault("rfc3987_syntax", None)
