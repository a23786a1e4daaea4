"""What the interactive figures share: controls, a picture that follows them, and a picture for a page without a kernel.

A picture is drawn on one figure that stays: what never changes is drawn once, the rest over a copy of it, so that an
answer takes tens of milliseconds. Nothing queues up meanwhile: ipywidgets sends the next value of a slider only when
the kernel has dealt with the one before, and drops those in between.
"""

import contextlib
import html
import io
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import torch
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from PIL import Image
from torch import Tensor

from helpers.plots import style

DPI = 100


class Scene:
    """What one state looks like on a figure, or on a part of one. Subclasses draw; they know of no widgets."""

    def __init__(self, figure: FigureBase):
        self.figure = figure
        self.moving: list[Artist] = []

    def row(self, *widths: float) -> Any:
        """Axes side by side with these relative widths, or one; margins in inches, since a layout engine takes long."""
        left, right, gap, bottom, top = 0.95, 0.2, 0.95, 0.6, 0.35
        width, height = self.figure.bbox.width / DPI, self.figure.bbox.height / DPI
        mean = (width - left - right - gap * (len(widths) - 1)) / len(widths)
        across = {"left": left / width, "right": 1 - right / width, "wspace": gap / mean}
        along = {"bottom": bottom / height, "top": 1 - top / height}
        return self.figure.subplots(1, len(widths), width_ratios=widths, gridspec_kw=across | along)

    def follow(self, artist: Artist) -> Any:
        """Note an artist that changes with the state, and return it."""
        self.moving.append(artist)
        return artist

    def curve(self, axes: Axes, dash: str = "-", **options: Any) -> Any:
        """A line or markers without points yet, which change with the state."""
        return self.follow(axes.plot([], [], dash, **options)[0])

    def update(self, **state: Any) -> str:
        """Move the artists to a state, and return in one line what can be read off the picture."""
        raise NotImplementedError


def new_picture(width: float, height: float) -> Figure:
    """A figure of this size in inches, which neither pyplot nor a window knows of."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure's canvas, as it has been drawn last. One state of a figure always gives the same bytes."""
    packed = io.BytesIO()
    Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").save(packed, "PNG", compress_level=1)
    return packed.getvalue()


def side_by_side(
    scene: Callable[[FigureBase], Scene], states: Sequence[dict[str, Any]], width: float, height: float
) -> tuple[bytes, list[Any]]:
    """Several states in one PNG, each in a part of its own, and the scene of each."""
    with rc_context(style.STYLE):
        figure = new_picture(width, height)
        scenes = [scene(part) for part in figure.subfigures(1, len(states))]
        for drawn, state in zip(scenes, states, strict=True):
            drawn.update(**state)
        figure.canvas.draw()
    return png(figure), scenes


class Explorer:
    """Controls, the picture that follows them, and a line of words that says what it shows.

    controls: the widgets by name; the values are the scene's state. size: of the picture, in inches. twin: the PNG for
    a page without a kernel, by default the picture of the first state; alt: that picture in words. follow: what else
    a changed control does before the picture is drawn; controls that it changes do not draw on their own.

    A cell that ends in an Explorer stores one bundle: the widgets, the twin and its words.
    `picture` holds the PNG, `text` the line of words, `error` the last exception of a change, or None. An exception
    is shown in the picture's place, in one line, and raised on, so that neither a learner nor a test can miss it.
    """

    def __init__(
        self,
        scene: Callable[[FigureBase], Scene],
        controls: dict[str, ipywidgets.Widget],
        *,
        alt: str,
        size: tuple[float, float],
        twin: bytes | None = None,
        columns: int = 2,
        follow: Callable[[ipywidgets.Widget], None] | None = None,
    ):
        self.controls, self.alt, self.follow = controls, alt, follow
        self.error: Exception | None = None
        self.waiting = False
        self.image = ipywidgets.HTML()  # an Image widget can't have an alternative text
        self.words = ipywidgets.HTML()
        grid = ipywidgets.Layout(grid_template_columns=f"repeat({columns}, minmax(0, 1fr))", grid_gap="0 1em")
        self.box = ipywidgets.VBox([ipywidgets.GridBox(list(controls.values()), layout=grid), self.image, self.words])
        self.box.add_class("explore")
        self.image.add_class("explore-picture")
        with rc_context(style.STYLE):
            self.figure = new_picture(*size)
            self.scene = scene(self.figure)
            for artist in self.scene.moving:
                artist.set_animated(True)
            self.figure.canvas.draw()
        self.backdrop = self.figure.canvas.copy_from_bbox(self.figure.bbox)
        self.redraw()
        self.twin = self.picture if twin is None else twin
        for control in controls.values():
            control.observe(self.react, names="value")

    def redraw(self) -> None:
        """Draw the state that the controls are in."""
        self.text = self.scene.update(**{name: control.value for name, control in self.controls.items()})
        self.figure.canvas.restore_region(self.backdrop)
        for artist in sorted(self.scene.moving, key=lambda artist: artist.get_zorder()):
            self.figure.draw_artist(artist)
        self.picture = png(self.figure)
        width, height = self.figure.canvas.get_width_height()
        self.image.value = (
            f'<img alt="{html.escape(self.text)}" width="{width}" height="{height}" decoding="sync" '
            f'style="max-width: 100%; height: auto" src="data:image/png;base64,{as_base64(self.picture)}">'
        )
        self.words.value = f'<div role="status" aria-live="polite">{html.escape(self.text)}</div>'

    def react(self, changed: dict[str, Any]) -> None:
        """Called by ipywidgets when a control has changed."""
        if self.waiting:
            return
        try:
            if self.follow:
                with self.together():
                    self.follow(changed["owner"])
            self.redraw()
        except Exception as problem:
            self.error, self.picture = problem, b""
            first_line = (str(problem).splitlines() or ["no message"])[0]
            self.text = f"No picture. {type(problem).__name__}: {first_line}"
            self.words.value = f'<div role="alert">{html.escape(self.text)}</div>'
            self.image.layout.display = "none"
            raise
        self.error = None
        self.image.layout.display = None

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Change several controls without drawing."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        shown = self.box._repr_mimebundle_(**options)
        bundle, notes = shown if isinstance(shown, tuple) else (shown, {})
        return (
            {**(bundle or {}), "image/png": as_base64(self.twin), "text/plain": self.alt},
            {**notes, "image/png": {"alt": self.alt}},
        )


def as_base64(picture: bytes) -> str:
    return b64encode(picture).decode("ascii")


def label(text: str, note: str) -> dict[str, Any]:
    """Options that every control shares: the words beside it, and those of its tooltip."""
    wide = {"style": {"description_width": "9em"}, "layout": {"width": "auto"}}
    return {"description": text, "tooltip": note, **wide}


def columns(df: pd.DataFrame) -> tuple[Tensor, Tensor]:
    """The columns u and c as tensors in float64, shape (n,)."""
    return tuple(torch.tensor(df[name].to_numpy(), dtype=torch.float64) for name in ("u", "c"))


def within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values no further outside of a span than a thousand times its length: what a canvas can still draw."""
    reach = 1e3 * (high - low)
    return np.clip(np.nan_to_num(values, nan=high + reach), low - reach, high + reach)
