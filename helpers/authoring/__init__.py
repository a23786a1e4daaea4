"""What authors and teachers run, each as `python -m helpers.authoring.<name>`. No chapter imports any of it."""

import sys

# At its import jsonschema has this package parse a grammar of international addresses, which nothing here holds. Left
# out, as where it isn't installed, JupyterLab, make refresh and each process of pytest start in half the time.
sys.modules.setdefault("rfc3987_syntax", None)
