"""Checks of chapter 11."""

from helpers.check.engine import Exercise, float64

judged_error = Exercise(
    lambda chooser, judge: judge[chooser.argmin()],
    "The reading that chose the epoch is used up by the choice; the other one has had no say in it.",
    lambda chooser, judge: chooser.min(),
    "The smallest error of the reading that chose is small because it was chosen: ask the other reading.",
    lambda chooser, judge: judge.min(),
    "Now the judge has chosen the epoch for itself: take the epoch at which the chooser is smallest.",
    lambda chooser, judge: judge[-1],
    "That is the error after the last epoch: nothing was stopped early.",
    lambda chooser, judge: chooser[judge.argmin()],
    "The two have swapped their tasks.",
    lambda chooser, judge: (chooser + judge).min() / 2,
    "Their mean was made as small as possible: then both have chosen, and nobody is left to judge.",
    lambda chooser, judge: judge[(chooser + judge).argmin()],
    "Both readings have chosen that epoch together: the choice belongs to the first one alone.",
    lambda chooser, judge: chooser.argmin(),
    "That is the epoch: give the judge's error there.",
    lambda chooser, judge: judge[chooser.min()],
    "min() is the smallest error itself, and no place to look at: argmin() says at which epoch it stands.",
    cases=lambda: [
        float64([[9.0, 4.0, 0.5, 2.0, 6.0], [8.0, 3.0, 2.5, 1.5, 7.0]]).unbind(),
        float64([[3.0, 0.2, 5.0, 4.0], [0.7, 1.9, 0.1, 2.2]]).unbind(),
        float64([[9.0, 1.0, 3.0, 0.5, 6.0], [8.0, 0.2, 0.1, 5.0, 7.0]]).unbind(),
    ],
    hint="Which of the two may look for the smallest error, and over which epochs? The other one speaks only then.",
)
