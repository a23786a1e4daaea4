"""What the notebooks import. `import helpers` loads nothing: R, matplotlib and the widgets wait for their first use.

Read first, each in one sitting: what the chapters build and then use.
    data        the readings, their splits, R's data sets
    model       the line, and the small network
    loss        mean squared error, and its gradient by hand
    training    the one training loop
    scoreboard  digits of agreement with lm()
    r           lm(), R's own answer: its first file is the page to read
    beyond      what chapters 16 and 17 build

Scaffolding, which no chapter teaches: check (exercises), plots and explore (figures, sliders), training_checks (what
train() refuses), setup_check (is everything there?), authoring (what authors and teachers run), datasets (files).
"""
