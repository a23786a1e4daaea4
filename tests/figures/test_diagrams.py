"""The diagrams in images/ are those the code draws, and they can be read: on a projector, in dark mode, and aloud."""

import re
from ast import literal_eval
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import matplotlib.style
import pytest
import torch
from drawings import assert_stored
from matplotlib.colors import to_hex
from matplotlib.path import Path as Path2D
from notebook_tools import ROOT, Notebook

from helpers.authoring import diagrams
from helpers.data import split
from helpers.plots.style import PALETTE

IMAGES = ROOT / "images"
SVG = "{http://www.w3.org/2000/svg}"
NAMES = list(diagrams.DIAGRAMS)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A folder into which all diagrams have just been drawn."""
    folder = tmp_path_factory.mktemp("images")
    diagrams.draw_all(folder)
    return folder


class Diagram:
    """A diagram, laid out: its texts, and its patches from the lowest to the highest, each with its box."""

    def __init__(self, name: str):
        with matplotlib.style.context(diagrams.STYLE):
            figure = diagrams.DIAGRAMS[name]()
            figure.draw_without_rendering()
        self.name, self.size = name, figure.bbox.size
        self.texts = [(text, text.get_window_extent()) for text in figure.axes[0].texts if text.get_text()]
        patches = sorted(figure.axes[0].patches, key=lambda patch: patch.get_zorder())
        self.patches = [(patch, patch.get_window_extent()) for patch in patches]

    @property
    def words(self) -> list[str]:
        return [text.get_text() for text, _ in self.texts]


laid_out = cache(Diagram)


@pytest.fixture(params=NAMES)
def diagram(request) -> Diagram:
    return laid_out(request.param)


def has_stroke(patch) -> bool:
    return patch.get_linewidth() and patch.get_edgecolor()[3]


def test_images_holds_the_diagrams_and_nothing_else():
    assert sorted(path.name for path in IMAGES.iterdir()) == sorted(f"{name}.svg" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_draws_the_committed_file(name, drawn):
    assert_stored((drawn / f"{name}.svg").read_text(encoding="utf-8"), IMAGES / f"{name}.svg")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_small_undated_opaque_and_titled(name):
    path = IMAGES / f"{name}.svg"
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert path.stat().st_size < 60_000
    assert not re.search(r"<dc:date>|\b20\d\d-\d\d", text)
    assert root.findtext(f"{SVG}title") == diagrams.alt_text(name)
    width, height = (float(size) for size in root.get("viewBox").split()[2:])
    background = root.find(f".//{SVG}path")
    assert background.get("style") == "fill: #ffffff"
    corners = {tuple(float(x) for x in pair) for pair in re.findall(r"([\d.]+) ([\d.]+)", background.get("d"))}
    assert corners == {(x, y) for x in (0, round(width, 2)) for y in (0, round(height, 2))}


def test_settings_of_the_reader_do_not_change_a_drawing():
    usual = diagrams.svg("neuron")
    with matplotlib.rc_context(
        {"font.size": 30, "lines.linewidth": 9, "figure.facecolor": "black", "path.sketch": (1, 9, 9)}
    ):
        assert diagrams.svg("neuron") == usual


def test_text_is_large_whole_and_apart(diagram):
    width, height = diagram.size
    assert diagram.texts
    for text, box in diagram.texts:
        assert text.get_fontsize() * 900 / width >= 14
        inside = 4 <= box.x0 and box.x1 <= width - 4 and 2 <= box.y0 and box.y1 <= height - 2
        assert inside, f"{text.get_text()!r} is clipped"
    for (text, box), (other_text, other) in combinations(diagram.texts, 2):
        apart = box.x1 <= other.x0 or other.x1 <= box.x0 or box.y1 <= other.y0 + 1 or other.y1 <= box.y0 + 1
        assert apart, f"{text.get_text()!r} and {other_text.get_text()!r} overlap"


def test_no_line_crosses_a_text(diagram):
    for text, box in diagram.texts:
        box = box.padded(-1)
        visible = []
        for patch, area in diagram.patches:
            if patch.get_facecolor()[3] and all(area.contains(*corner) for corner in box.get_points()):
                visible = []  # what lies under a filled shape around the text is hidden
            visible.append(patch)
        for patch in filter(has_stroke, visible):
            curve = patch.get_transform().transform_path(patch.get_path())
            for points in curve.to_polygons(closed_only=False):
                crossed = Path2D(points).intersects_bbox(box, filled=False)
                assert not crossed, f"a line at {points[0].round()} crosses {text.get_text()!r}"


def test_text_contrasts_with_what_lies_behind_it(diagram):
    for text, box in diagram.texts:
        ground = diagrams.WHITE
        for patch, area in diagram.patches:
            if patch.get_facecolor()[3] and area.contains(*box.get_points().mean(axis=0)):
                ground = to_hex(patch.get_facecolor())
        assert diagrams.contrast(text.get_color(), ground) >= 4.5, f"{text.get_text()!r} on {ground}"


def test_strokes_contrast_with_white_and_come_from_the_palette(diagram):
    allowed = {colour.lower() for colour in (*PALETTE.values(), diagrams.tint(PALETTE["guess"], 0.65))}
    assert all(diagrams.contrast(colour) >= 3 for colour in allowed)
    if diagram.name == "batch_images":
        allowed.add(diagrams.WHITE)  # the lines between the cells of an image
    assert {to_hex(patch.get_edgecolor()) for patch, _ in diagram.patches if has_stroke(patch)} <= allowed


@pytest.mark.parametrize("use, colour", PALETTE.items())
def test_the_palette_can_be_seen_as_stroke_and_read_as_text(use, colour):
    assert diagrams.contrast(colour) >= 3
    assert diagrams.contrast(diagrams.text_colour(colour)) >= 4.5
    assert diagrams.contrast(diagrams.text_colour(colour), diagrams.tint(colour)) >= 4.5


def test_contrast_is_the_guidelines_ratio():
    assert diagrams.contrast("#000000") == pytest.approx(21)
    assert diagrams.contrast("#ffffff") == pytest.approx(1)
    # The darkest grey that fails and the lightest that passes 4.5:1 on white.
    assert diagrams.contrast("#777777") < 4.5 < diagrams.contrast("#767676")


@pytest.mark.parametrize("name", NAMES)
def test_alternative_text_is_one_or_two_sentences(name):
    text = diagrams.alt_text(name)
    assert 80 < len(text) < 320
    assert text.endswith(".") and text == " ".join(text.split())
    assert 1 <= len(re.findall(r"[.?](?: [A-Z]|$)", text)) <= 2


# What the pictures say is true


def test_dog_scores():
    said = laid_out("dog_score").words
    for line in ["tanh(−2.2) = −0.97574", "tanh(0.1) = 0.09967", "tanh(2.5) = 0.98661"]:
        assert line in said


@pytest.mark.parametrize("chapter", ["06_artificial_neurons", "07_activation_functions"])
def test_the_chapters_shades_are_the_drawings(chapter):
    source = "\n".join(cell.source for cell in Notebook.read(ROOT / "notebooks" / f"{chapter}.ipynb").code)
    found = dict(re.findall(r"^(SENSITIVE_SLOPE|SATURATED_SLOPE) = (\S+)$", source, re.MULTILINE))
    assert found == {"SENSITIVE_SLOPE": f"{diagrams.SENSITIVE_SLOPE}", "SATURATED_SLOPE": f"{diagrams.SATURATED_SLOPE}"}


def test_module_tree_is_that_of_torch():
    said = laid_out("module_tree").words
    model = torch.nn.Sequential()
    for name, module in [
        ("hidden_linear", torch.nn.Linear(1, 13)),
        ("hidden_activation", torch.nn.Tanh()),
        ("output_linear", torch.nn.Linear(13, 1)),
    ]:
        assert name in said
        model.add_module(name, module)
    leaves = [(line, following) for line, following in zip(said, said[1:], strict=False) if line in ("weight", "bias")]
    assert leaves == [(name.split(".")[1], str(tuple(p.shape))) for name, p in model.named_parameters()]
    assert f"= {sum(p.numel() for p in model.parameters())} numbers that training can change" in said


def test_layers_have_the_shapes_on_their_arrows():
    said = laid_out("layers").words
    x = torch.zeros(2)
    shapes = [x.shape]
    for layer in range(3):
        weight, bias = (
            torch.zeros(
                literal_eval(next(line.split("$ ")[1] for line in said if line.startswith(f"${name}_{layer}$")))
            )
            for name in "Wb"
        )
        x = weight @ x + bias
        shapes += [x.shape] if layer == 2 else [x.shape, x.shape]
    assert [line for line in said if re.fullmatch(r"\(\d,\)", line)] == [str(tuple(shape)) for shape in shapes]


def test_the_graphs_gradients_are_autograds():
    said = laid_out("computational_graph").words
    assert "∂$L$/∂$w$ = mean($2e\\,u$)" in said
    assert "∂$L$/∂$b$ = mean($2e$)" in said
    u, c = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64), torch.tensor([3.0, 1.0, 5.0], dtype=torch.float64)
    w, b = (torch.tensor(start, dtype=torch.float64, requires_grad=True) for start in (0.5, -1.0))
    e = w * u + b - c
    (e**2).mean().backward()
    torch.testing.assert_close(w.grad, (2 * e * u).mean().detach())
    torch.testing.assert_close(b.grad, (2 * e).mean().detach())


def test_the_dealt_points_are_a_split_of_chapter_05():
    numbers = [int(word) for word in laid_out("train_validation").words if word.isdigit()]
    training, validation = split(11, seed=0)
    assert numbers == [*training.tolist(), *validation.tolist()]


def test_the_batch_has_the_shape_it_names():
    said = laid_out("batch_images").words
    assert "one tensor of shape $B$ × $C$ × $H$ × $W$ = (3, 3, 6, 8)" in said
    assert [word for word in said if word.startswith("batch[")] == ["batch[0]", "batch[1]", "batch[2]"]
    assert {"red", "green", "blue", "$H$ = 6", "$W$ = 8 columns", "$C$ = 3", "$B$ = 3 images"} <= set(said)


def test_the_road_has_every_chapter():
    assert [word for word in laid_out("road").words if word.isdigit()] == [f"{chapter:02d}" for chapter in range(18)]
