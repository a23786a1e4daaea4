"""Small modules that the notebooks import, one per idea: data, model, loss, training, r, scoreboard, plots, check.

Importing `helpers` loads none of them. R, matplotlib and the widgets load on first use.
"""
